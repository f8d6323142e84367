// Memory that was given back, behind all that is allocated, is full of pointers to what moves: it
// goes there.
#include <stdlib.h>

#include "pair.h"

#define COUNT 1000
#define STALE 8000
static struct item* items;

void pair_start(void) {}

void pair_state(void) {
  items = calloc(COUNT, sizeof *items);
  for (int i = 0; i < COUNT; ++i) {
    items[i].id = i;
    items[i].weight = 10 * i;
  }
  struct item** stale = malloc(STALE * sizeof *stale);
  for (int i = 0; i < STALE; ++i) stale[i] = &items[i % COUNT];
  free(stale);
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT && items != NULL; ++i) {
    EXPECT(items[i].id == i && items[i].weight == 10 * i);
    EXPECT(NEW_FIELDS_ARE_RIGHT(&items[i]));
  }
  return NULL;
}

void pair_end(void) { free(items); }
