#include "program.h"

int pair_version(void) { return 2; }
int unrelated(int value) { return value % 5 ? value + 3 : value - 7; }
