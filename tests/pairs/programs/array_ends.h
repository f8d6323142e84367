// Buffers in a pool, each right before an object of a changed type: one address is the end of the
// one and the beginning of the other.
#include "programs/pool_allocator.h"

#define COUNT 20
#define LENGTH 48

struct buffer {
  char *start, *end;
};
static struct pool* pool;
static struct buffer buffers[COUNT];
static struct item* items[COUNT];

void pair_start(void) {}

void pair_state(void) {
  pool = pool_create();
  for (int i = 0; i < COUNT; ++i) {
    buffers[i].start = memset(pool_allocate(pool, LENGTH), 'a' + i, LENGTH);
    buffers[i].end = buffers[i].start + LENGTH;
    items[i] = pool_allocate(pool, sizeof *items[i]);
    items[i]->id = i;
    items[i]->self = items[i];
  }
  // One that has no memory any more.
  buffers[0] = (struct buffer){NULL, (char*)items[2] + 8};
}

const char* pair_check(void) {
  EXPECT(buffers[0].start == NULL);
  for (int i = 1; i < COUNT; ++i) {
    EXPECT(buffers[i].end - buffers[i].start == LENGTH);
    for (const char* at = buffers[i].start; at != buffers[i].end; ++at) EXPECT(*at == 'a' + i);
    EXPECT(items[i]->id == i && items[i]->self == items[i]);
  }
  return NULL;
}

void pair_end(void) { pool_destroy(pool); }
