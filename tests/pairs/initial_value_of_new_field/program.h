// Annotations say what new fields begin with in objects that have no counterpart.
#include <stdlib.h>

#include "pair.h"

static struct peer* peers[5];

static struct peer* make(int id) {
  struct peer* peer = calloc(1, sizeof *peer);
  peer->id = id;
  INITIALISE(peer);
  return peer;
}

static int first_rate(int id) { return 10 * id; }

void pair_start(void) { peers[0] = make(0); }

void pair_state(void) {
  for (int i = 1; i < 5; ++i) peers[i] = make(i);
}

const char* pair_check(void) {
  for (int i = 0; i < 5; ++i) {
    EXPECT(peers[i]->id == i);
    EXPECT(first_rate(i) == 10 * i);
    EXPECT(IS_INITIALISED(peers[i]));
  }
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 5; ++i) free(peers[i]);
}
