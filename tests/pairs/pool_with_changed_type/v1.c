struct request {
  struct request* next;
  int (*handler)(int);
  int* counter;
  int id;
};

#include "programs/pool.h"

int pair_version(void) { return 1; }
