#define LIMIT 16

#include "programs/two_values.h"

int pair_version(void) { return 1; }
