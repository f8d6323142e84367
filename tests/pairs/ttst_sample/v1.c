#define VERSION_OF_S  \
  struct s {          \
    int count;        \
    char str[3];      \
    short id;         \
    union u u;        \
    void* ptr;        \
    int addr;         \
    short* inner_ptr; \
  }
#define SET_PTR(s, to) (s).ptr = (to)

#include "program.h"

int pair_version(void) { return 1; }
