#include "pair.h"

struct Item {
  int id = 0;
  Item* peer = nullptr;
};

#include "program.h"

int pair_version() { return 1; }
