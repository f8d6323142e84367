struct link {
  struct link *next, *previous;
};
struct connection {
  int id;
  struct link in_all;
  struct link in_busy;
};

#include "program.h"

int pair_version(void) { return 1; }
