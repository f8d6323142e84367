struct node {
  long weight;
  int id;
  int (*check)(const struct node*);
  struct node* next;
};
static int check_node(const struct node* node) { return node->weight == 0; }

#include "program.h"

int pair_version(void) { return 2; }
