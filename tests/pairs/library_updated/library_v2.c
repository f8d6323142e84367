#include <stddef.h>

#include "part.h"

static int calls;
int part_limit = 6;
static struct part* head;

static int answer(int question) { return question * 2; }

int part_version(void) { return 2; }

int part_ask(int question) {
  ++calls;
  return answer(question);
}

int part_calls(void) { return calls; }

part_function part_choose(void) { return answer; }

void part_add(struct part* part) {
  part->next = head;
  head = part;
}

int part_count(void) {
  int count = 0;
  for (const struct part* part = head; part != NULL; part = part->next) ++count;
  return count;
}
