struct job {
  struct job* next;
  int weight;
};

// Moves what comes behind it.
int unrelated(int value) { return value % 5 ? value + 3 : value - 7; }

#include "program.h"

int pair_version(void) { return 2; }
