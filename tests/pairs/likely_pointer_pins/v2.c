struct item {
  long size;
  int flags;
  int id;
};

#include "program.h"

int pair_version(void) { return 2; }
