// Ksplice's example, CVE-2006-0095: key material is not erased when it is freed. Code changes only.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct key {
  unsigned char bytes[32];
};
static unsigned char arena[2 * sizeof(struct key)];
static int used;
static struct key* keys[2];

// An allocator that lets the test see what was freed.
static struct key* take(void) { return (struct key*)&arena[sizeof(struct key) * used++]; }
static void give_back(struct key* key) {
  (void)key;
  --used;
}

void pair_start(void) {
  keys[0] = take();
  memset(keys[0], 0xa5, sizeof *keys[0]);
}

void pair_state(void) {
  keys[1] = take();
  memset(keys[1], 0x5a, sizeof *keys[1]);
}

static int is_erased(const struct key* key) {
  int sum = 0;
  for (unsigned i = 0; i < sizeof key->bytes; ++i) sum |= key->bytes[i];
  return sum == 0;
}

const char* pair_check(void) {
  EXPECT(used == 2 && keys[0]->bytes[31] == 0xa5 && keys[1]->bytes[0] == 0x5a);
  release(keys[1]);
  EXPECT(used == 1 && is_erased(keys[1]) == (pair_version() == 2));
  keys[1] = take();
  memset(keys[1], 0x5a, sizeof *keys[1]);
  return NULL;
}

void pair_end(void) {}
