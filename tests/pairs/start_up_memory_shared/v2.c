// There is another variable that leads there: a copy of this start's queue would not be the one
// that `queue` keeps.
#include <stdlib.h>

#include "pair.h"

struct entry {
  long number;
  struct entry* next;
};

struct holder {
  long many[6];
  struct entry* first;
};

void* queue;
struct holder* holder;

int pair_version(void) { return 2; }

void pair_start(void) {
  struct entry* entry = calloc(1, sizeof(struct entry));
  entry->next = calloc(1, sizeof(struct entry));
  queue = entry;
  holder = calloc(1, sizeof *holder);
  holder->first = entry->next;
}

void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(((struct entry*)queue)->number == 5);
  return NULL;
}

void pair_end(void) {
  struct entry* entry = queue;
  free(entry->next);
  free(entry);
  free(holder);
}
