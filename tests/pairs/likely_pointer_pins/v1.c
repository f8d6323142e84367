struct item {
  int id;
  long size;
};

#include "program.h"

int pair_version(void) { return 1; }
