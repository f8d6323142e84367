#include <string.h>

#include "pair.h"

int limit = 10;
const char* greeting = "hello";
char host[16] = "old";
int counters[3] = {3, 3, 3};
double factor = 1.5;

int pair_version(void) { return 1; }

void pair_start(void) {}

void pair_state(void) {
  limit = 99;
  greeting = "touched";
  strcpy(host, "mine");
  for (int i = 0; i < 3; ++i) counters[i] = 77;
  factor = 0.5;
}

const char* pair_check(void) {
  EXPECT(limit == 99);
  EXPECT(strcmp(greeting, "touched") == 0);
  EXPECT(strcmp(host, "mine") == 0);
  for (int i = 0; i < 3; ++i) EXPECT(counters[i] == 77);
  EXPECT(factor == 0.5);
  return NULL;
}

void pair_end(void) {}
