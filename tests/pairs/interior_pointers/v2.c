struct slot {
  char* text;
  int length;
  int flags;
  long used;
};
struct buffer {
  long capacity;
  struct slot slots[4];
  int* cursor;
  int numbers[6];
  int size;
};

#include "program.h"

int pair_version(void) { return 2; }
