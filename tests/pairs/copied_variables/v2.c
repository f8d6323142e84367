// Uses others, and these only through the library's functions.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

static char* own_environment[2];

int pair_version(void) { return 2; }

void pair_start(void) {
  if (optarg != NULL || optind != 1) abort();
}

void pair_state(void) { own_environment[0] = strdup("PAIR_STATE=kept"); }

const char* pair_check(void) {
  EXPECT(strcmp(getenv("PAIR_STATE"), "kept") == 0);
  EXPECT(own_environment[0] == getenv("PAIR_STATE") - strlen("PAIR_STATE="));
  char* arguments[] = {"pair", "-n", "12", NULL};
  EXPECT(getopt(3, arguments, "n:") == 'n');
  EXPECT(strcmp(optarg, "12") == 0 && optind == 3);
  return NULL;
}

void pair_end(void) { free(own_environment[0]); }
