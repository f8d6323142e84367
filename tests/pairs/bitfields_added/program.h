// Bit-fields that are widened, moved and joined by others.
#include <stdlib.h>

#include "pair.h"

struct flags flags;
static struct flags* at_start;
static struct flags* later;

static void set(struct flags* flags, unsigned mode, int level, int id) {
  flags->mode = mode;
  flags->level = level;
  flags->open = 1;
  flags->id = id;
}

static struct flags* make(unsigned mode, int level, int id) {
  struct flags* flags = calloc(1, sizeof *flags);
  set(flags, mode, level, id);
  return flags;
}

void pair_start(void) { at_start = make(7, -1, 10); }

void pair_state(void) {
  set(&flags, 7, -16, 20);
  later = make(5, 15, 30);
}

static const char* check_flags(const struct flags* flags, unsigned mode, int level, int id) {
  EXPECT(flags->mode == mode && flags->level == level && flags->id == id);
  EXPECT(flags->open == 1 && flags->closing == 0);
  return check_own(flags);
}

const char* pair_check(void) {
  const char* wrong = check_flags(&flags, 7, -16, 20);
  if (!wrong) wrong = check_flags(at_start, 7, -1, 10);
  if (!wrong) wrong = check_flags(later, 5, 15, 30);
  return wrong;
}

void pair_end(void) {
  free(at_start);
  free(later);
}
