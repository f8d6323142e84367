#include "pair.h"

#define COUNT 10000

struct node {
  struct node* next;
  int value;
};

static const char* check_own(const struct node* node) {
  EXPECT(node->value >= 0);
  return 0;
}

#include "programs/list.h"

int pair_version(void) { return 1; }
