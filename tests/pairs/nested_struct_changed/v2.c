struct range {
  int high;
  int unit;
  long low;
};

#include "program.h"

int pair_version(void) { return 2; }
