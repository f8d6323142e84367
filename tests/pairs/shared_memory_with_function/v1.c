// What the server has put into memory that processes share is of a type that changes: such memory
// has a pointer to the function that an annotation names.
struct entry {
  struct entry* next;
  struct entry* first;
  long number;
};

#include "program.h"

int pair_version(void) { return 1; }
