// Pointers to pointers: into variables, into heap objects, into an array of pointers.
#include <stdlib.h>

#include "pair.h"

struct item* first;
struct item* last;
static struct item** tail = &first;  // where the next item goes
static struct item** slots;          // an array of pointers in the heap
static struct item*** deep;          // a heap word that holds the address of `slots`

static void append(int value) {
  struct item* item = calloc(1, sizeof *item);
  item->value = value;
  *tail = last = item;
  tail = &item->next;
}

void pair_start(void) {
  slots = calloc(3, sizeof *slots);
  deep = malloc(sizeof *deep);
  *deep = slots;
  append(1);
}

void pair_state(void) {
  append(2);
  append(3);
  slots[0] = first;
  slots[2] = last;
}

const char* pair_check(void) {
  EXPECT(first->value == 1 && first->next->value == 2 && first->next->next == last);
  EXPECT(last->value == 3 && last->next == NULL);
  EXPECT(tail == &last->next);
  EXPECT(*deep == slots && (*deep)[0] == first && (*deep)[1] == NULL && (*deep)[2]->value == 3);
  append(4);
  EXPECT(first->next->next->next->value == 4);
  *tail = NULL;
  tail = &slots[2]->next;
  free(last);
  last = slots[2];
  last->next = NULL;
  return NULL;
}

void pair_end(void) {
  while (first != NULL) {
    struct item* next = first->next;
    free(first);
    first = next;
  }
  free(slots);
  free(deep);
}
