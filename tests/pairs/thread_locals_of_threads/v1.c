struct progress {
  long kind;
  int done;
};
#define FRESH {3, 5}
static const char* check_own(const struct progress* progress) { return progress->kind == 3 ? 0 : "another kind"; }

#include "program.h"

int pair_version(void) { return 1; }
