#define VERSION_OF_S \
  struct s {         \
    int count;       \
    int id;          \
    char str[2];     \
    union u u;       \
    int addr;        \
    int* inner_ptr;  \
  }
#define SET_PTR(s, to) (void)(to)

#include "program.h"

int pair_version(void) { return 2; }
