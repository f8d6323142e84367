// A queue that only `queue` leads to, of bytes that nobody knows the type of.
#include <stdlib.h>

#include "pair.h"

struct entry {
  long number;
  struct entry* next;
};

void* queue;

int pair_version(void) { return 1; }

void pair_start(void) { queue = calloc(1, sizeof(struct entry)); }

void pair_state(void) { ((struct entry*)queue)->number = 5; }

const char* pair_check(void) {
  EXPECT(((struct entry*)queue)->number == 5);
  return NULL;
}

void pair_end(void) { free(queue); }
