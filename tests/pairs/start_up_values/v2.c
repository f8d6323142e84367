#include <stdlib.h>
#include <string.h>

#include "pair.h"

int untouched, touched, touched_and_back;
char banner[32];
char* memory;
static const char* (*describe)(void);

static const char* politely(void) { return "polite"; }

int pair_version(void) { return 2; }

// What start-up computes is another value now, though no variable has another initial one.
void pair_start(void) {
  untouched = touched = touched_and_back = 200;
  strcpy(banner, "server 2");
  memory = malloc(64);
  strcpy(memory, "fresh");
  describe = politely;
}

void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(untouched == 200);
  EXPECT(touched == 7);
  EXPECT(touched_and_back == 200);
  EXPECT(strcmp(banner, "server 2") == 0);
  EXPECT(strcmp(memory, "state") == 0);
  EXPECT(strcmp(describe(), "polite") == 0);
  return NULL;
}

void pair_end(void) { free(memory); }
