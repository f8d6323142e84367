struct message;
struct entry {
  struct message* owner;
  long weight;
  int key;
};
struct message {
  int seed;
  int flags;
  const char* topic;
  int count;
  struct entry entries[];
};

#include "program.h"

int pair_version(void) { return 2; }
