#include <stdlib.h>
#include <string.h>

#include "pair.h"

int untouched, touched, touched_and_back;
char banner[32];
char* memory;
static const char* (*describe)(void);

static const char* plainly(void) { return "plain"; }

int pair_version(void) { return 1; }

void pair_start(void) {
  untouched = touched = touched_and_back = 100;
  strcpy(banner, "server 1");
  memory = malloc(64);
  strcpy(memory, "start");
  describe = plainly;
}

void pair_state(void) {
  touched = 7;
  touched_and_back = 8;
  touched_and_back = 100;
  strcpy(memory, "state");
}

const char* pair_check(void) {
  EXPECT(untouched == 100);
  EXPECT(touched == 7);
  EXPECT(touched_and_back == 100);
  EXPECT(strcmp(banner, "server 1") == 0);
  EXPECT(strcmp(memory, "state") == 0);
  EXPECT(strcmp(describe(), "plain") == 0);
  return NULL;
}

void pair_end(void) { free(memory); }
