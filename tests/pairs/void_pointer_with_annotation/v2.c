struct item {
  long weight;
  long price;
  int id;
};

#include "programs/void_pointer.h"

int pair_version(void) { return 2; }
