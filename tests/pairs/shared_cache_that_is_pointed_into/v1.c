struct entry {
  struct entry* next;
  long key;
};

#define POINTED_TO cache->first

#include "programs/shared_cache.h"

int pair_version(void) { return 1; }
