#define SIZE 3
#define USED 3

#include "programs/array.h"

int pair_version(void) { return 1; }
