struct account;
struct operation {
  int (*function)(struct account*, int);
  struct account* account;
};

#include "program.h"

int pair_version(void) { return 1; }
