struct slot {
  int length;
  char* text;
};
struct buffer {
  int size;
  int numbers[6];
  struct slot slots[4];
  int* cursor;
};

#include "program.h"

int pair_version(void) { return 1; }
