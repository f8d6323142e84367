#include "pair.h"

struct session {
  int id;
  const char* name;
  struct session* next;
};

static void fill(struct session* session, int id, const char* name, struct session* next) {
  session->id = id;
  session->name = name;
  session->next = next;
}

static const char* check_own(const struct session* session) {
  EXPECT(session->id != 0);
  return 0;
}

#include "programs/record.h"

int pair_version(void) { return 2; }
