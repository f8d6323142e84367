// Uses variables of the C library of which the linker gives the program a copy.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

extern char** environ;
static char* own_environment[2];

int pair_version(void) { return 1; }

void pair_start(void) {
  if (stdin == NULL || environ == NULL) abort();
}

void pair_state(void) {
  own_environment[0] = malloc(32);
  strcpy(own_environment[0], "PAIR_STATE=kept");
  environ = own_environment;
}

const char* pair_check(void) {
  EXPECT(stdin != NULL && strcmp(getenv("PAIR_STATE"), "kept") == 0);
  return NULL;
}

void pair_end(void) { free(own_environment[0]); }
