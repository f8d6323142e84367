struct watch {
  void (*handler)(struct watch*);
  const char* name;
  long events;
  int fd;
};

#include "programs/epoll.h"

int pair_version(void) { return 2; }
