// Two updates that only change code: the loader's state, heap and variables survive both.
#include <stdlib.h>

#include "pair.h"

static int (*chosen)(int);
static int* heap;
int total = 5;

static int compute(int value) { return value * pair_version(); }

void pair_start(void) { heap = calloc(1, sizeof *heap); }

void pair_state(void) {
  chosen = compute;
  *heap = 4;
  total = 6;
}

const char* pair_check(void) {
  EXPECT(chosen == compute && chosen(10) == 10 * pair_version());
  EXPECT(*heap == 4 && total == 6);
  return NULL;
}

void pair_end(void) { free(heap); }
