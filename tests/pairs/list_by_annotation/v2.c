struct link {
  struct link *next, *previous;
};
struct job {
  struct link in_list;
  long deadline, started;
  int id;
};

#include "program.h"

int pair_version(void) { return 2; }
