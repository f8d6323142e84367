#include <string.h>

#include "pair.h"

struct setting {
  const char* name;
  int value;
  int* target;
};

int known = 5;
int limit = 42;
static long computed;
struct setting settings[] = {{"limit", 10, &limit}, {"known", 20, &known}};
char name[16] = "new";
int zeros[100];

int pair_version(void) { return 2; }
void pair_start(void) { computed = 1000 + limit; }
void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(known == 6);
  EXPECT(limit == 42);
  EXPECT(computed == 1042);
  EXPECT(strcmp(settings[0].name, "limit") == 0 && settings[0].value == 10);
  EXPECT(settings[0].target == &limit && settings[1].target == &known);
  EXPECT(strcmp(name, "new") == 0);
  for (int i = 0; i < 100; ++i) EXPECT(zeros[i] == 0);
  limit = ++zeros[99];
  EXPECT(*settings[0].target == 1);
  return NULL;
}

void pair_end(void) {}
