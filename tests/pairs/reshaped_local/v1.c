// A struct on the stack of the loop, of a type that changes with it.
#include <stddef.h>
#include <stdlib.h>

#include "pair.h"

struct counter {
  short id;
  int served;
  int* last;  // points into `mine`
  int mine[2];
  struct counter* self;
};
struct watcher {
  int* served;
  struct counter* counter;
};
static struct watcher* watcher;  // in the heap
static int* last;

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  struct counter counter = {7, 0, NULL, {3, 4}, NULL};
  counter.self = &counter;
  counter.last = &counter.mine[1];
  watcher->served = &counter.served;
  watcher->counter = &counter;
  last = &counter.mine[0];
  for (;;) {
    pair_serve(commands);
    ++counter.served;
  }
}

int pair_version(void) { return 1; }

void pair_start(void) { watcher = malloc(sizeof *watcher); }

void pair_state(void) { watcher->counter->mine[1] = 55; }

const char* pair_check(void) {
  const struct counter* counter = watcher->counter;
  EXPECT(counter->self == counter);
  EXPECT(counter->id == 7);
  EXPECT(watcher->served == &counter->served && *watcher->served >= 2);
  EXPECT(counter->last == &counter->mine[1] && *counter->last == 55);
  EXPECT(last == &counter->mine[0] && *last == 3);
  return NULL;
}

void pair_end(void) { free(watcher); }
