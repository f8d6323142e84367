struct entry {
  int key;
  unsigned hits;
  struct entry* next;
  long expires;
};

#include "program.h"

int pair_version(void) { return 2; }
