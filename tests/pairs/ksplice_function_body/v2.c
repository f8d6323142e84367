#include <string.h>

struct key;
static void give_back(struct key* key);
static void release(struct key* key) {
  memset(key, 0, 32);
  give_back(key);
}

#include "program.h"

int pair_version(void) { return 2; }
