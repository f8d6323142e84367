struct entry {
  const char* name;
  long weight;
  int id;
};

#include "programs/pool_array.h"

int pair_version(void) { return 2; }
