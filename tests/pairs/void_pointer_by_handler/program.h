// What a `void *` points to is told by the function that another object has: the one that is called
// with it. Without a handler, it dangles.
#include <stdlib.h>

#include "pair.h"

struct event;
struct holder {
  void* data;
  struct event* read;
};
struct event {
  int armed;
  int (*handler)(struct holder*);
};
static struct holder* holders[5];

static int item_id(struct holder* holder) { return ((struct item*)holder->data)->id; }
static int item_weight(struct holder* holder) { return ((struct item*)holder->data)->weight; }
static int length(struct holder* holder) { return ((int*)holder->data)[2]; }

static struct holder* make(int (*handler)(struct holder*)) {
  struct holder* holder = calloc(1, sizeof *holder);
  if (handler == NULL) {
    holder->data = (char*)holders[0]->data + 3;  // whatever was there
    return holder;
  }
  holder->read = calloc(1, sizeof *holder->read);
  holder->read->handler = handler;
  if (handler == length) {
    int* numbers = holder->data = calloc(50, sizeof *numbers);
    for (int i = 0; i < 50; ++i) numbers[i] = 11 * i;
  } else {
    struct item* item = holder->data = calloc(1, sizeof *item);
    item->id = 7;
    item->weight = 70;
  }
  return holder;
}

void pair_start(void) { holders[0] = make(item_id); }

void pair_state(void) {
  holders[1] = make(item_weight);
  holders[2] = make(length);
  holders[3] = make(NULL);
  holders[4] = make(item_id);
}

const char* pair_check(void) {
  const int wanted[] = {7, 70, 22, 0, 7};
  for (int i = 0; i < 5; ++i) {
    if (holders[i]->read == NULL) continue;
    EXPECT(holders[i]->read->handler(holders[i]) == wanted[i]);
  }
  EXPECT(holders[3]->read == NULL);
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 5; ++i) {
    if (holders[i]->read != NULL) free(holders[i]->data);
    free(holders[i]->read);
    free(holders[i]);
  }
}
