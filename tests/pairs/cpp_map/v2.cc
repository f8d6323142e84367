#include "pair.h"

struct Item {
  Item* peer = nullptr;
  double weight = 0;
  int id = 0;
};

#include "program.h"

int pair_version() { return 2; }
