struct item {
  long price;
  int id;
  int weight;
  long stamp;
};

#define NEW_FIELDS_ARE_RIGHT(item) ((item)->price == 0 && (item)->stamp == 0)

#include "program.h"

int pair_version(void) { return 2; }
