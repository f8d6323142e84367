struct entry {
  int id;
  const char* name;
};

#include "programs/pool_array.h"

int pair_version(void) { return 1; }
