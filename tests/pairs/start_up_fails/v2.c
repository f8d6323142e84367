// A version whose start-up fails, and says why.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pair.h"

int value = 1;

int pair_version(void) { return 2; }

void pair_start(void) {
  fprintf(stderr, "settings: line 7: unknown word\n");
  exit(3);
}

void pair_state(void) { value = 2; }

const char* pair_check(void) {
  EXPECT(value == 2);
  return NULL;
}

void pair_end(void) {}
