// Objects of a type that changes, which are only reached through a `void *`.
#include <stdlib.h>

#include "pair.h"

struct holder {
  int kind;
  void* data;
};
static struct holder* holders[3];

static struct holder* make(int id) {
  struct item* item = calloc(1, sizeof *item);
  item->id = id;
  item->weight = 10 * id;
  struct holder* holder = calloc(1, sizeof *holder);
  holder->data = item;
  return holder;
}

void pair_start(void) { holders[0] = make(1); }

void pair_state(void) {
  holders[1] = make(2);
  holders[2] = make(3);
}

const char* pair_check(void) {
  for (int i = 0; i < 3; ++i) {
    const struct item* item = holders[i]->data;
    EXPECT(item->id == i + 1 && item->weight == 10 * (i + 1));
  }
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 3; ++i) {
    free(holders[i]->data);
    free(holders[i]);
  }
}
