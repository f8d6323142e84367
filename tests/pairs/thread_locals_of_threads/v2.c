struct progress {
  long long serial[8];
  long kind;
  int done;
};
#define FRESH {{0, 1}, 3, 5}
static __thread long limit = 77;
static const char* check_own(const struct progress* progress) {
  return progress->kind == 3 && limit == 77 ? 0 : "another kind, or limit";
}

#include "program.h"

int pair_version(void) { return 2; }
