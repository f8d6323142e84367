#include "program.h"

int pair_version(void) { return 2; }
