#include "pair.h"

int requests[3] = {1, 2, 3};
static int* last = &requests[1];

int pair_version(void) { return 1; }
void pair_start(void) {}

void pair_state(void) {
  requests[0] = 12;
  last = &requests[2];
}

const char* pair_check(void) {
  EXPECT(requests[0] == 12 && requests[1] == 2 && requests[2] == 3);
  EXPECT(last == &requests[2]);
  return 0;
}

void pair_end(void) {}
