// Requests in a pool, which point to each other.
#include "programs/pool_allocator.h"

static int plain(int value) { return value; }
static int doubled(int value) { return 2 * value; }

#define COUNT 100
static struct pool* pool;
static struct request* head;
static int length;

static void add(void) {
  struct request* request = pool_allocate(pool, sizeof *request);
  request->id = length++;
  request->next = head;
  request->handler = request->id % 2 ? doubled : plain;
  request->counter = &length;
  head = request;
}

void pair_start(void) {
  pool = pool_create();
  while (length < COUNT / 2) add();
}

void pair_state(void) {
  while (length < COUNT) add();
}

const char* pair_check(void) {
  int id = length;
  for (const struct request* request = head; request != NULL; request = request->next) {
    EXPECT(request->id == --id);
    EXPECT(request->handler == (id % 2 ? doubled : plain));
    EXPECT(request->handler(id) == (id % 2 ? 2 * id : id));
    EXPECT(request->counter == &length);
  }
  EXPECT(id == 0);
  add();
  return NULL;
}

void pair_end(void) { pool_destroy(pool); }
