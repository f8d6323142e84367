struct table;
struct row {
  int key;
  struct table* self;
};

#include "program.h"

int pair_version(void) { return 1; }
