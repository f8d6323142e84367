// The same literals elsewhere.
#define OTHER_LABEL "a literal in front of all others, so that they move"

#include "programs/text_or_pointer.h"

int pair_version(void) { return 2; }
