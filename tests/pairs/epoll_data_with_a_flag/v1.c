struct watch {
  int fd;
  unsigned flag;
};

#include "program.h"

int pair_version(void) { return 1; }
