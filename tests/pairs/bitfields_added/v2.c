#include "pair.h"

struct flags {
  unsigned open : 1;
  unsigned traced : 2;
  unsigned mode : 4;
  int level : 9;
  unsigned long serial : 40;
  unsigned closing : 1;
  int id;
};

static const char* check_own(const struct flags* flags) {
  EXPECT(flags->traced == 0 && flags->serial == 0);
  return 0;
}

#include "program.h"

int pair_version(void) { return 2; }
