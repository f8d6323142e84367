// The kernel hands pointers back that have a flag in their lowest bit, as servers tell an event
// from one of a connection that is gone. The array for events keeps what the kernel wrote last.
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pair.h"

#define WATCHES 5

static struct watch* watches;  // an array
static struct epoll_event* events;
static int epoll;

static void begin(struct watch* watch, unsigned flag) {
  watch->fd = eventfd(0, EFD_CLOEXEC);
  watch->flag = flag;
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uintptr_t)watch | flag};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0) abort();
}

static void post(const struct watch* watch, uint64_t value) {
  if (write(watch->fd, &value, sizeof value) != sizeof value) abort();
}

void pair_start(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  watches = calloc(WATCHES, sizeof *watches);
  events = malloc(16 * sizeof *events);
  begin(&watches[0], 0);
}

const char* pair_check(void) {
  for (int i = 0; i < WATCHES; ++i) post(&watches[i], 1 + i);
  int ready = epoll_wait(epoll, events, 16, 1000);
  EXPECT(ready == WATCHES);
  for (int i = 0; i < ready; ++i) {
    uintptr_t data = events[i].data.u64;
    struct watch* watch = (struct watch*)(data & ~(uintptr_t)1);
    uint64_t value;
    EXPECT(watch - watches >= 0 && watch - watches < WATCHES);
    EXPECT((data & 1) == watch->flag);
    EXPECT(read(watch->fd, &value, sizeof value) == sizeof value);
    EXPECT(value == (uint64_t)(1 + (watch - watches)));
  }
  return NULL;
}

void pair_state(void) {
  for (int i = 1; i < WATCHES; ++i) begin(&watches[i], i % 2);
  if (pair_check() != NULL) abort();
}

void pair_end(void) {
  free(watches);
  free(events);
}
