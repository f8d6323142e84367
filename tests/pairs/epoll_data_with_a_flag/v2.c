struct watch {
  long events;
  const char* name;
  unsigned flag;
  int fd;
};

#include "program.h"

int pair_version(void) { return 2; }
