// Integers as a variable of their own, in an array, and in heap objects.
#include <stdlib.h>

#include "pair.h"

struct counter {
  char tag;
  number value;
  struct counter* next;
};

number total;
number history[5];
static struct counter* at_start;
static struct counter* later;

static struct counter* make(number value, struct counter* next) {
  struct counter* counter = malloc(sizeof *counter);
  counter->tag = 't';
  counter->value = value;
  counter->next = next;
  return counter;
}

void pair_start(void) {
  total = SMALL;
  for (int i = 0; i < 5; ++i) history[i] = i;
  at_start = make(SMALL, NULL);
}

void pair_state(void) {
  total = LARGE;
  history[1] = SMALL;
  history[4] = LARGE;
  later = make(LARGE, at_start);
}

const char* pair_check(void) {
  EXPECT(total == LARGE);
  EXPECT(history[0] == 0 && history[1] == SMALL && history[2] == 2 && history[4] == LARGE);
  EXPECT(at_start->tag == 't' && at_start->value == SMALL && at_start->next == NULL);
  EXPECT(later->tag == 't' && later->value == LARGE && later->next == at_start);
  return NULL;
}

void pair_end(void) {
  free(at_start);
  free(later);
}
