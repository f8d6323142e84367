#include "program.h"

int pair_version(void) { return 3; }
int unrelated(int value) { return value % 5 ? value + 3 : value - 7; }
int other(int value) { return value * value % 11; }
