// A program that nobody but root may look into: its core is not dumped, and /proc/PID is root's.
#include <stddef.h>
#include <sys/prctl.h>

#include "pair.h"

static int served;

void pair_start(void) { prctl(PR_SET_DUMPABLE, 0); }

void pair_state(void) { served = 1; }

const char* pair_check(void) {
  EXPECT(prctl(PR_GET_DUMPABLE) == 0);
  EXPECT(served == 1 && next_of(served) == served + STEP);
  return NULL;
}

void pair_end(void) {}
