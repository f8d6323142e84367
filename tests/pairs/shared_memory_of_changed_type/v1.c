// What the server has put into memory that processes share is of a type that changes, and nothing
// says so: it must not be taken for the new version's.
struct entry {
  struct entry* next;
  struct entry* first;
  long number;
};

#include "program.h"

int pair_version(void) { return 1; }
