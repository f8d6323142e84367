typedef long number;
#define SMALL (-7)
#define LARGE 32000

#include "programs/integers.h"

int pair_version(void) { return 1; }
