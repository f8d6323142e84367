#define SIZE 5
#define USED 3

#include "programs/array.h"

int pair_version(void) { return 2; }
