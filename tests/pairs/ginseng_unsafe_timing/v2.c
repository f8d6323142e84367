struct T {
  int x;
  int y;
  int z;
};

#include "program.h"

int pair_version(void) { return 2; }
