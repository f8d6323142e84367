struct progress {
  int done;
};
#define FRESH {5}
static const char* check_own(const struct progress* progress) { return progress ? 0 : "no progress"; }

#include "program.h"

int pair_version(void) { return 1; }
