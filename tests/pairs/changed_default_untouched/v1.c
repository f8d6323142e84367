#include <string.h>

#include "pair.h"

int limit = 10;
const char* greeting = "hello";
char host[16] = "old";
int counters[3] = {3, 3, 3};
double factor = 1.5;

int pair_version(void) { return 1; }

void pair_start(void) {}

void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(limit == 10);
  EXPECT(strcmp(greeting, "hello") == 0);
  EXPECT(strcmp(host, "old") == 0);
  for (int i = 0; i < 3; ++i) EXPECT(counters[i] == 3);
  EXPECT(factor == 1.5);
  return NULL;
}

void pair_end(void) {}
