struct message;
struct entry {
  int key;
  struct message* owner;
};
struct message {
  int count;
  int seed;
  struct entry entries[];
};

#include "program.h"

int pair_version(void) { return 1; }
