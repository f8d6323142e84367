// Variables of the thread, old ones with values and a new one.
#include <stdlib.h>

#include "pair.h"

__thread int depth = 3;
static __thread int* scratch;

int pair_version(void) { return 1; }

void pair_start(void) {
  scratch = malloc(sizeof *scratch);
  *scratch = 8;
}

void pair_state(void) {
  depth = 5;
  *scratch = 9;
}

const char* pair_check(void) {
  EXPECT(depth == 5);
  EXPECT(*scratch == 9);
  return NULL;
}

void pair_end(void) { free(scratch); }
