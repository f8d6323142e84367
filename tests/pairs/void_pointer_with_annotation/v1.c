struct item {
  int id;
  int weight;
};

#include "programs/void_pointer.h"

int pair_version(void) { return 1; }
