#define OTHER_LABEL "another one"

#include "programs/text_or_pointer.h"

int pair_version(void) { return 1; }
