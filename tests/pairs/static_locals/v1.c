// Static variables of functions, some with the same name, next to static globals.
#include <stdlib.h>

#include "pair.h"

static int count = 1000;

static int next_id(void) {
  static int count = 10;
  return ++count;
}

static int* last_made(int make) {
  static int* last;
  static int count;
  if (make) {
    free(last);
    last = malloc(sizeof *last);
    *last = ++count;
  }
  return last;
}

int pair_version(void) { return 1; }

void pair_start(void) { last_made(1); }

void pair_state(void) {
  next_id();
  next_id();
  last_made(1);
  ++count;
}

const char* pair_check(void) {
  static int checks;
  ++checks;
  EXPECT(count == 1001);
  EXPECT(next_id() == 12 + checks);
  EXPECT(*last_made(0) == 1 + checks);
  last_made(1);
  EXPECT(*last_made(0) == 2 + checks);
  return NULL;
}

void pair_end(void) { free(last_made(0)); }
