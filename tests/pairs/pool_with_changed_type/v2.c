struct request {
  int id;
  int* counter;
  long bytes_sent;
  struct request* next;
  int (*handler)(int);
};

#include "programs/pool.h"

int pair_version(void) { return 2; }
