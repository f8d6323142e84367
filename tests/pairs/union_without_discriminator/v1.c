enum kind { NUMBER, POINT, TEXT, OTHER };
struct point {
  short x, y;
};
struct value {
  enum kind kind;
  union {
    long number;
    struct point point;
    char text[8];
    struct value* other;
  } u;
};

#include "programs/tagged_union.h"

int pair_version(void) { return 1; }
