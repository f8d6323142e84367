typedef int number;
#define SMALL 7
#define LARGE 2000000000

#include "programs/integers.h"

int pair_version(void) { return 1; }
