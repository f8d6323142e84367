// One update after another: what the first has moved, the second finds.
#include <stdlib.h>

#include "pair.h"

#define COUNT 50

static struct node* head;
struct node global = {.id = COUNT};
static int length, checks;

static void add(void) {
  struct node* node = calloc(1, sizeof *node);
  node->id = length++;
  node->next = head;
  node->check = check_node;
  head = node;
}

void pair_start(void) { add(); }

void pair_state(void) {
  while (length < COUNT) add();
  global.next = head;
}

const char* pair_check(void) {
  int id = length;
  for (const struct node* node = head; node != NULL; node = node->next) {
    EXPECT(node->id == --id);
    EXPECT(node->check == check_node && node->check(node));
  }
  EXPECT(id == 0 && length == COUNT + checks);
  EXPECT(global.id == COUNT && global.next->id == COUNT - 1);
  add();
  ++checks;
  return NULL;
}

void pair_end(void) {
  while (head != NULL) {
    struct node* next = head->next;
    free(head);
    head = next;
  }
}
