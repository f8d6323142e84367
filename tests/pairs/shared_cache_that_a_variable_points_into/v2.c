struct entry {
  long key, used, made;
  struct entry* next;
};

#define OBJECT_POINTS_TO NULL
#define VARIABLE_POINTS_TO cache->first

#include "programs/shared_cache.h"

int pair_version(void) { return 2; }
