// A session as a variable, allocated at start-up and allocated later; and an array of them.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct session first;
struct session table[4];
static struct session* at_start;
static struct session* later;

static struct session* make(int id, const char* name, struct session* next) {
  struct session* session = malloc(sizeof *session);
  fill(session, id, name, next);
  return session;
}

void pair_start(void) {
  fill(&first, 1, "first", NULL);
  for (int i = 0; i < 4; ++i) fill(&table[i], 10 + i, "table", NULL);
  at_start = make(2, "at start", &first);
}

void pair_state(void) {
  first.id = 11;
  table[2].id = 22;
  table[2].next = at_start;
  table[3].next = &table[2];
  later = make(3, "later", at_start);
}

static const char* check_session(const struct session* session, int id, const char* name,
                                 const struct session* next) {
  EXPECT(session->id == id);
  EXPECT(strcmp(session->name, name) == 0);
  EXPECT(session->next == next);
  return check_own(session);
}

const char* pair_check(void) {
  const char* wrong = check_session(&first, 11, "first", NULL);
  if (!wrong) wrong = check_session(at_start, 2, "at start", &first);
  if (!wrong) wrong = check_session(later, 3, "later", at_start);
  if (!wrong) wrong = check_session(&table[0], 10, "table", NULL);
  if (!wrong) wrong = check_session(&table[2], 22, "table", at_start);
  if (!wrong) wrong = check_session(&table[3], 13, "table", &table[2]);
  return wrong;
}

void pair_end(void) {
  free(at_start);
  free(later);
}
