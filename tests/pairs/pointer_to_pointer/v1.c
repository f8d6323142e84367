struct item {
  struct item* next;
  int value;
};

#include "program.h"

int pair_version(void) { return 1; }
