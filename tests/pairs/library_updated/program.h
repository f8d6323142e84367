// A library of the program's own, which a package replaces together with it.
#include <stdlib.h>

#include "pair.h"
#include "part.h"

static part_function chosen;
static struct part parts[2];
static struct part* heap;

void pair_start(void) {
  part_add(&parts[0]);
  chosen = part_choose();
}

void pair_state(void) {
  part_ask(1);
  part_add(&parts[1]);
  part_add(heap = malloc(sizeof *heap));
}

const char* pair_check(void) {
  EXPECT(part_version() == pair_version());
  int calls = part_calls();
  EXPECT(calls >= 1);
  EXPECT(part_ask(10) == (pair_version() == 1 ? 11 : 20));
  EXPECT(part_calls() == calls + 1);
  EXPECT(chosen == part_choose() && chosen(10) == part_ask(10));
  EXPECT(part_count() == 3);
  EXPECT(part_limit == (pair_version() == 1 ? 5 : 6));
  return NULL;
}

void pair_end(void) { free(heap); }
