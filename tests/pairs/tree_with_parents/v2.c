struct node {
  struct node* parent;
  int key;
  short balance;
  struct node *left, *right;
  void* user_data;
};

#include "program.h"

int pair_version(void) { return 2; }
