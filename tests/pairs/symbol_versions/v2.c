// Calls some of later versions, for the first time when it has been updated: the loader looks them
// up then, by the versions that it remembers.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "pair.h"

char* text;

int pair_version(void) { return 2; }

void pair_start(void) { text = calloc(1, 64); }

void pair_state(void) {}

const char* pair_check(void) {
  EXPECT(strcmp(text, "kept") == 0);
  EXPECT(getrandom(text + 32, 8, 0) == 8);
  text = reallocarray(text, 2, 64);
  EXPECT(text != NULL && strcmp(text, "kept") == 0);
  const int memory = memfd_create("pair", 0);
  EXPECT(memory >= 0 && close(memory) == 0);
  EXPECT(dlsym(RTLD_DEFAULT, "pair_version") == NULL || pair_version() == 2);
  EXPECT(secure_getenv("NOTHING_OF_THAT_NAME") == NULL);
  return NULL;
}

void pair_end(void) { free(text); }
