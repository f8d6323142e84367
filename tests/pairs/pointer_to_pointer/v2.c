struct item {
  long created;
  int value;
  struct item* next;
};

#include "program.h"

int pair_version(void) { return 2; }
