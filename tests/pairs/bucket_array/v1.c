struct entry {
  struct entry* next;
  int key;
};

#include "program.h"

int pair_version(void) { return 1; }
