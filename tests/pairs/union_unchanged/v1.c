#define VARIANT_FIELDS \
  int id;              \
  union value value;

#include "program.h"

int pair_version(void) { return 1; }
