// Numbers that only ever hold two values, which compilers may keep in another form.
#include <stddef.h>

#include "pair.h"

static long limit;     // that nobody has touched
static unsigned mode;  // that the server has set
static struct {
  short kind;
  long number;
} chosen;

int pair_version(void) { return 1; }

void pair_start(void) { limit = 16; }

void pair_state(void) {
  mode = 7;
  chosen.kind = 3;
  chosen.number = 5000;
}

const char* pair_check(void) {
  EXPECT(limit == 16);
  EXPECT(mode == 7);
  EXPECT(chosen.kind == 3 && chosen.number == 5000);
  return NULL;
}

void pair_end(void) {}
