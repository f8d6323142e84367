struct link {
  struct link *next, *previous;
};
struct job {
  long id;
  struct link in_list;
};

#include "program.h"

int pair_version(void) { return 1; }
