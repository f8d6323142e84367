// Addresses with flags in their low bits, kept as integers.
#include <stdint.h>
#include <stdlib.h>

#include "pair.h"

struct holder {
  uintptr_t tagged;
  int flags;
};
static struct holder* holders[4];
uintptr_t current;

static struct item* target(uintptr_t tagged) { return (struct item*)(tagged & ~(uintptr_t)3); }

static struct holder* make(int id) {
  struct item* item = calloc(1, sizeof *item);
  item->id = id;
  struct holder* holder = calloc(1, sizeof *holder);
  holder->tagged = (uintptr_t)item | (id & 3);
  return holder;
}

void pair_start(void) { holders[0] = make(0); }

void pair_state(void) {
  for (int i = 1; i < 4; ++i) holders[i] = make(i);
  current = holders[2]->tagged | 1;
}

const char* pair_check(void) {
  for (int i = 0; i < 4; ++i) {
    EXPECT((holders[i]->tagged & 3) == (uintptr_t)i);
    EXPECT(target(holders[i]->tagged)->id == i);
  }
  EXPECT((current & 3) == 3 && target(current) == target(holders[2]->tagged));
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 4; ++i) {
    free(target(holders[i]->tagged));
    free(holders[i]);
  }
}
