// Numbers that only ever hold two values, which compilers may keep in another form.
#include <stddef.h>

#include "pair.h"

static long limit;     // that nobody has touched
static unsigned mode;  // that the server has set
static struct {
  short kind;
  long number;
} chosen;

void pair_start(void) { limit = LIMIT; }

void pair_state(void) {
  mode = 7;
  chosen.kind = 3;
  chosen.number = 5000;
}

const char* pair_check(void) {
  EXPECT(limit == LIMIT);
  EXPECT(mode == 7);
  EXPECT(chosen.kind == 3 && chosen.number == 5000);
  return NULL;
}

void pair_end(void) {}
