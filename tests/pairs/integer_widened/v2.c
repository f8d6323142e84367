typedef long long number;
#define SMALL (-7)
#define LARGE 2000000000

#include "programs/integers.h"

static const char* check_width(void) {
  later->value *= 1000;
  EXPECT(later->value == 2000000000000LL);
  later->value /= 1000;
  return NULL;
}

int pair_version(void) { return check_width() ? -1 : 2; }
