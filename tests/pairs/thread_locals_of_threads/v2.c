struct progress {
  long long serial[8];
  int done;
};
#define FRESH {{0, 1}, 5}
static __thread long limit = 77;
static const char* check_own(const struct progress* progress) {
  return progress && limit == 77 ? 0 : "no progress";
}

#include "program.h"

int pair_version(void) { return 2; }
