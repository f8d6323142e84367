// A version that starts.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pair.h"

int value = 1;

int pair_version(void) { return 1; }

void pair_start(void) {}

void pair_state(void) { value = 2; }

const char* pair_check(void) {
  EXPECT(value == 2);
  return NULL;
}

void pair_end(void) {}
