struct watch {
  int fd;
  int events;
  void (*handler)(struct watch*);
};

#include "programs/epoll.h"

int pair_version(void) { return 1; }
