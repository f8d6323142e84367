struct account;
struct operation {
  struct account* account;
  const char* name;
  int (*function)(struct account*, int);
};

// Moves the functions behind it.
int unrelated(int value) { return value < 0 ? 0 : value * 17 / 3; }

#include "program.h"

int pair_version(void) { return 2; }
