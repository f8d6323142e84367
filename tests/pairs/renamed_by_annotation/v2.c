// A type, a field and variables after they are renamed.
#include <stdlib.h>

#include "pair.h"

struct connection {
  struct connection* next;
  long created;
  int number;
};

int request_count = 1;
static struct connection* head;

static void add(int number) {
  struct connection* added = calloc(1, sizeof *added);
  added->number = number;
  added->next = head;
  head = added;
}

int pair_version(void) { return 2; }

void pair_start(void) { add(1); }

void pair_state(void) {
  request_count = 12;
  add(2);
}

const char* pair_check(void) {
  EXPECT(request_count == 12);
  EXPECT(head->number == 2 && head->next->number == 1 && head->next->next == NULL);
  return NULL;
}

void pair_end(void) {
  free(head->next);
  free(head);
}
