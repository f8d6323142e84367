struct watch {
  int fd;
  int events;
  void (*handler)(struct watch*);
};

#include "program.h"

int pair_version(void) { return 1; }
