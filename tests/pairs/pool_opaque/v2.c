struct request {
  struct request* next;
  int (*handler)(int);
  int* counter;
  int id;
};

// Moves what comes behind it.
int unrelated(int value) { return value % 7 ? value / 3 : value * 5; }

#include "programs/pool.h"

int pair_version(void) { return 2; }
