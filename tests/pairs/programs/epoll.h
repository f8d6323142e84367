// The kernel hands pointers back: to a variable, and to an object of a type that changes or not.
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pair.h"

static struct watch first;
static struct watch* second;
static int epoll;

static void count(struct watch* watch) {
  uint64_t value;
  if (read(watch->fd, &value, sizeof value) == sizeof value) watch->events += value;
}

static void begin(struct watch* watch) {
  watch->fd = eventfd(0, EFD_CLOEXEC);
  watch->handler = count;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0) abort();
}

void pair_start(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  begin(&first);
}

void pair_state(void) {
  second = calloc(1, sizeof *second);
  begin(second);
}

static void post(const struct watch* watch, uint64_t value) {
  if (write(watch->fd, &value, sizeof value) != sizeof value) abort();
}

const char* pair_check(void) {
  struct epoll_event events[4];
  long before = first.events, before_second = second->events;
  post(&first, 3);
  post(second, 5);
  int ready = epoll_wait(epoll, events, 4, 1000);
  EXPECT(ready == 2);
  for (int i = 0; i < ready; ++i) {
    struct watch* watch = events[i].data.ptr;
    EXPECT(watch == &first || watch == second);
    watch->handler(watch);
  }
  EXPECT(first.events == before + 3 && second->events == before_second + 5);
  return NULL;
}

void pair_end(void) { free(second); }
