struct key;
static void give_back(struct key* key);
static void release(struct key* key) { give_back(key); }

#include "program.h"

int pair_version(void) { return 1; }
