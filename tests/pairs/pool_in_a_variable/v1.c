struct item {
  struct item* next;
  int id;
};

#include "program.h"

int pair_version(void) { return 1; }
