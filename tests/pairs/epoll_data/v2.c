struct watch {
  int fd;
  int events;
  void (*handler)(struct watch*);
};

int unrelated(int value) { return value % 5 ? value + 3 : value - 7; }

#include "programs/epoll.h"

int pair_version(void) { return 2; }
