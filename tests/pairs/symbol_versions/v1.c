// Calls functions of few versions of the C library.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

char* text;

int pair_version(void) { return 1; }

void pair_start(void) { text = calloc(1, 64); }

void pair_state(void) { strcpy(text, "kept"); }

const char* pair_check(void) {
  EXPECT(strcmp(text, "kept") == 0);
  return NULL;
}

void pair_end(void) { free(text); }
