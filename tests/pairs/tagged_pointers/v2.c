struct item {
  long owner;
  char name[24];
  int id;
};

#include "program.h"

int pair_version(void) { return 2; }
