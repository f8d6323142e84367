typedef unsigned int number;
#define SMALL 7u
#define LARGE 2000000000u

#include "programs/integers.h"

int pair_version(void) { return 2; }
