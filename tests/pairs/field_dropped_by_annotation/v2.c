struct lookup {
  int cached;
  int key;
};

static int compute(int key) { return 100 * key; }

#include "program.h"

int pair_version(void) { return 2; }
