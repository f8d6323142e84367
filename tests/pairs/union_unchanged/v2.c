#define VARIANT_FIELDS \
  union value value;   \
  long created;        \
  int id;

#include "program.h"

int pair_version(void) { return 2; }
