struct item {
  struct item* self;
  long id, weight, price;
};

#include "programs/array_ends.h"

int pair_version(void) { return 2; }
