#include "pair.h"

#define COUNT 10000

struct node {
  long weight;
  int value;
  struct node* next;
  struct node* owner;
};

static const char* check_own(const struct node* node) {
  EXPECT(node->weight == 0 && node->owner == 0);
  return 0;
}

#include "programs/list.h"

int pair_version(void) { return 2; }
