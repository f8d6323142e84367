#include "pair.h"

struct session {
  char kind;
  struct session* next;
  const char* name;
  unsigned short port;
  int id;
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

int pair_version(void) { return 2; }
