struct T {
  int x;
  int y;
  int z;
};
#define third(t) ((t)->z)

#include "program.h"

int pair_version(void) { return 2; }
