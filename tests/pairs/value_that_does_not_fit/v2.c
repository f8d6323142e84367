typedef short number;
#define SMALL (-7)
#define LARGE 4464

#include "programs/integers.h"

int pair_version(void) { return 2; }
