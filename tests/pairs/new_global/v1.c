#include <string.h>

#include "pair.h"

int known = 5;

int pair_version(void) { return 1; }
void pair_start(void) {}
void pair_state(void) { known = 6; }

const char* pair_check(void) {
  EXPECT(known == 6);
  return NULL;
}

void pair_end(void) {}
