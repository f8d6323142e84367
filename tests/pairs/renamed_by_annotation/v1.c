// A type, a field and variables before they are renamed.
#include <stdlib.h>

#include "pair.h"

struct conn {
  struct conn* next;
  int num;
};

int requests = 1;
static struct conn* head;

static void add(int number) {
  struct conn* added = calloc(1, sizeof *added);
  added->num = number;
  added->next = head;
  head = added;
}

int pair_version(void) { return 1; }

void pair_start(void) { add(1); }

void pair_state(void) {
  requests = 12;
  add(2);
}

const char* pair_check(void) {
  EXPECT(requests == 12);
  EXPECT(head->num == 2 && head->next->num == 1 && head->next->next == NULL);
  return NULL;
}

void pair_end(void) {
  free(head->next);
  free(head);
}
