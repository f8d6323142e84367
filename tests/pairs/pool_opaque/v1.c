struct request {
  struct request* next;
  int (*handler)(int);
  int* counter;
  int id;
};

#include "program.h"

int pair_version(void) { return 1; }
