// Larger, but malloc hands out 24 bytes for 8 anyway.
struct object {
  int flags;
  int id;
  const char* name;
};

#include "program.h"

int pair_version(void) { return 2; }
