// A pool that is a variable: what it gives out during the update would be missing in the new
// version's.
#include "programs/pool_allocator.h"

struct pool pool;
static struct item* head;
static int length;

static void add(void) {
  struct item* item = pool_allocate(&pool, sizeof *item);
  item->id = length++;
  item->next = head;
  head = item;
}

void pair_start(void) { pool.first = pool.current = new_block(); }

void pair_state(void) {
  while (length < 10) add();
}

const char* pair_check(void) {
  int id = length;
  for (const struct item* item = head; item != NULL; item = item->next) EXPECT(item->id == --id);
  EXPECT(id == 0);
  add();
  return NULL;
}

void pair_end(void) {}
