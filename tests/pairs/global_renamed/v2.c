#include "pair.h"

int another = 4;
int request_counts[3] = {1, 2, 3};
static int* last = &request_counts[1];

int pair_version(void) { return 2; }
void pair_start(void) {}

void pair_state(void) {
  request_counts[0] = 12;
  last = &request_counts[2];
}

const char* pair_check(void) {
  EXPECT(request_counts[0] == 12 && request_counts[1] == 2 && request_counts[2] == 3);
  EXPECT(last == &request_counts[2]);
  return 0;
}

void pair_end(void) {}
