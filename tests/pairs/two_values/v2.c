// One of them stands for another value now.
#include <stddef.h>

#include "pair.h"

static long before_all_others;
static long limit;     // that nobody has touched
static unsigned mode;  // that the server has set
static struct {
  short kind;
  long number;
} chosen;

int pair_version(void) { return 2; }

void pair_start(void) { limit = 24; }

void pair_state(void) {
  mode = 7;
  chosen.kind = 3;
  chosen.number = 5000;
}

const char* pair_check(void) {
  before_all_others += 2;
  EXPECT(before_all_others % 2 == 0);
  EXPECT(limit == 24);
  EXPECT(mode == 7);
  EXPECT(chosen.kind == 3 && chosen.number == 5000);
  return NULL;
}

void pair_end(void) {}
