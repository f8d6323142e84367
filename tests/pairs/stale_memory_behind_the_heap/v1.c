struct item {
  int id;
  int weight;
};

#define NEW_FIELDS_ARE_RIGHT(item) 1

#include "program.h"

int pair_version(void) { return 1; }
