struct entry {
  struct entry* next;
  long key;
};

#define OBJECT_POINTS_TO NULL
#define VARIABLE_POINTS_TO NULL

#include "programs/shared_cache.h"

int pair_version(void) { return 1; }
