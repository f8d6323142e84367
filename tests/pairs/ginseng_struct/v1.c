struct T {
  int x;
  int y;
};
#define third(t) (t ? 0 : 1)

#include "program.h"

int pair_version(void) { return 1; }
