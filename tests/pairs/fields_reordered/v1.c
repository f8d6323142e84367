#include "pair.h"

struct session {
  int id;
  unsigned short port;
  const char* name;
  struct session* next;
  char kind;
};

static void fill(struct session* session, int id, const char* name, struct session* next) {
  session->id = id;
  session->name = name;
  session->next = next;
  session->port = 8080;
  session->kind = 'k';
}

static const char* check_own(const struct session* session) {
  EXPECT(session->port == 8080);
  EXPECT(session->kind == 'k');
  return 0;
}

#include "programs/record.h"

int pair_version(void) { return 1; }
