// Constant tables of functions, and pointers into them from variables and the heap.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

static const struct command* current = &commands[1];
static const struct command** recent;
static int (*chosen)(int);
static int (*const* cursor)(int);

void pair_start(void) {
  recent = calloc(2, sizeof *recent);
  recent[0] = &commands[0];
}

void pair_state(void) {
  current = &commands[2];
  recent[1] = &commands[1];
  chosen = steps[2];
  cursor = &steps[1];
}

const char* pair_check(void) {
  EXPECT(current == &commands[2] && strcmp(current->name, "halve") == 0);
  EXPECT(current->run(10) == 5);
  EXPECT(recent[0] == &commands[0] && recent[0]->run(10) == 11);
  EXPECT(recent[1] == &commands[1] && recent[1]->run(10) == 20);
  EXPECT(chosen == steps[2] && chosen(10) == 5);
  EXPECT(cursor == &steps[1] && (*cursor)(10) == 20);
  return check_own();
}

void pair_end(void) { free(recent); }
