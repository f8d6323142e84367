struct node {
  int id;
  char name[16];
  struct node* next;
  int (*check)(const struct node*);
};
static int check_node(const struct node* node) { return node->name[0] == 0; }

#include "program.h"

int pair_version(void) { return 3; }
