struct T {
  int x;
  int y;
};

#include "program.h"

int pair_version(void) { return 1; }
