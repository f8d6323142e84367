typedef int number;
#define TEXT "a"
#define VERSION_OF_MY_S \
  struct s {            \
    int flags;          \
    int id;             \
    char string[2];     \
    union u u;          \
    int addr;           \
    int newfield;       \
  };                    \
  static const char* check_own(const struct s* s) { return s->newfield ? "newfield" : 0; }

#include "program.h"

int pair_version(void) { return 2; }
