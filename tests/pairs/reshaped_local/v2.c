// Wider, in another order, and with more in it.
#include <stddef.h>
#include <stdlib.h>

#include "pair.h"

struct counter {
  long limits[3];
  struct counter* self;
  int mine[2];
  int* last;  // points into `mine`
  int id;
  int served;
};
struct watcher {
  int* served;
  struct counter* counter;
};
static struct watcher* watcher;  // in the heap
static int* last;

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  struct counter counter = {{1, 2, 3}, NULL, {3, 4}, NULL, 7, 0};
  counter.self = &counter;
  counter.last = &counter.mine[1];
  watcher->served = &counter.served;
  watcher->counter = &counter;
  last = &counter.mine[0];
  for (;;) {
    pair_serve(commands);
    ++counter.served;
    if (counter.limits[2] > 100) break;
  }
  return 1;
}

int pair_version(void) { return 2; }

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
