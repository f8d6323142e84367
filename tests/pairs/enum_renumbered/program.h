// Enumerators keep their meaning, not their number: in variables, arrays, structs and the heap.
#include <stdlib.h>

#include "pair.h"

enum state state = IDLE;
enum state history[4] = {CLOSED, CLOSED, CLOSED, CLOSED};
struct peer {
  int id;
  enum state state;
};
static struct peer* at_start;
static struct peer* later;

static struct peer* make(int id, enum state state) {
  struct peer* peer = calloc(1, sizeof *peer);
  peer->id = id;
  peer->state = state;
  return peer;
}

void pair_start(void) { at_start = make(1, ACTIVE); }

void pair_state(void) {
  state = CLOSED;
  history[0] = ACTIVE;
  history[1] = IDLE;
  later = make(2, CLOSED);
}

const char* pair_check(void) {
  EXPECT(state == CLOSED);
  EXPECT(history[0] == ACTIVE && history[1] == IDLE);
  EXPECT(history[2] == CLOSED && history[3] == CLOSED);
  EXPECT(at_start->id == 1 && at_start->state == ACTIVE);
  EXPECT(later->id == 2 && later->state == CLOSED);
  return NULL;
}

void pair_end(void) {
  free(at_start);
  free(later);
}
