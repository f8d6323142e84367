struct node {
  struct node* next;
  int (*check)(const struct node*);
  int id;
};
static int check_node(const struct node* node) { return node->id >= 0; }

#include "program.h"

int pair_version(void) { return 1; }
