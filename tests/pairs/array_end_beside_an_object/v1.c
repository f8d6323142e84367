struct item {
  struct item* self;
  void* gone;
  long id;
};

#include "programs/array_ends.h"

int pair_version(void) { return 1; }
