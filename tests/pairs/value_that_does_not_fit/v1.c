typedef long number;
#define SMALL (-7)
#define LARGE 70000

#include "program.h"

int pair_version(void) { return 1; }
