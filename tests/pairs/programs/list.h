// A list of COUNT nodes, half of them made at start-up.
#include <stdlib.h>

#include "pair.h"

static struct node* head;
static struct node* middle;
static int length;

static void add(void) {
  struct node* node = calloc(1, sizeof *node);
  node->value = length++;
  node->next = head;
  head = node;
  if (length == COUNT / 2) middle = node;
}

void pair_start(void) {
  while (length < COUNT / 2) add();
}

void pair_state(void) {
  while (length < COUNT) add();
}

const char* pair_check(void) {
  int left = length;
  for (const struct node* node = head; node != NULL; node = node->next) {
    EXPECT(node->value == --left);
    EXPECT(check_own(node) == NULL);
    if (node == middle) EXPECT(left == COUNT / 2 - 1);
  }
  EXPECT(left == 0 && length >= COUNT);
  add();  // the list goes on in the new version
  EXPECT(head->value == length - 1);
  return NULL;
}

void pair_end(void) {
  while (head != NULL) {
    struct node* next = head->next;
    free(head);
    head = next;
  }
}
