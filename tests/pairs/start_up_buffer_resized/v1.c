struct item {
  int id;
};
#define SIZE 100

#include "program.h"

int pair_version(void) { return 1; }
