typedef short number;
#define TEXT "aa"
#define VERSION_OF_MY_S \
  struct s {            \
    int flags;          \
    char string[3];     \
    short id;           \
    union u u;          \
    void* userdata;     \
    int addr;           \
  };                    \
  static const char* check_own(const struct s* s) { return s->userdata ? "userdata" : 0; }

#include "program.h"

int pair_version(void) { return 1; }
