struct link {
  struct link *next, *previous;
};
struct connection {
  struct link in_busy;
  long bytes_sent;
  int id;
  struct link in_all;
};

#include "program.h"

int pair_version(void) { return 2; }
