// An event loop under full load: epoll_wait without a timeout, and work in between. Says "turns"
// when asked, with the number of turns since it was last asked.
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

static volatile unsigned sink;

__attribute__((noinline)) static void Work(void) {
  for (unsigned i = 0; i < 2000; ++i) sink += i;
}

__attribute__((noinline)) static int WaitForEvents(int epoll) {
  struct epoll_event event;
  return epoll_wait(epoll, &event, 1, 0);
}

__attribute__((noinline)) static int Loop(int epoll) {
  for (long turns = 0;; ++turns) {
    Work();
    if (WaitForEvents(epoll) != 1) continue;
    char byte;
    if (read(0, &byte, 1) != 1) return 0;
    printf("turns %ld\n", turns);
    turns = 0;
  }
}

int main(void) {
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  return Loop(epoll);
}
