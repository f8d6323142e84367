struct item {
  int id;
};

#include "program.h"

int pair_version(void) { return 1; }
