// An allocator of the program's own: blocks from malloc, pieces from blocks, freed with the pool.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define BLOCK 1024

struct block {
  char* last;
  char* end;
  struct block* next;
};
struct pool {
  struct block* current;
  struct block* first;
};

static struct block* new_block(void) {
  struct block* block = malloc(BLOCK);
  block->last = (char*)(block + 1);
  block->end = (char*)block + BLOCK;
  block->next = NULL;
  return block;
}

struct pool* pool_create(void) {
  struct pool* pool = malloc(sizeof *pool);
  pool->first = pool->current = new_block();
  return pool;
}

void* pool_allocate(struct pool* pool, size_t size) {
  struct block* block = pool->current;
  size = (size + 7) & ~(size_t)7;
  if ((size_t)(block->end - block->last) < size) block = pool->current = block->next = new_block();
  void* piece = block->last;
  block->last += size;
  return memset(piece, 0, size);
}

void pool_destroy(struct pool* pool) {
  for (struct block *block = pool->first, *next; block != NULL; block = next) {
    next = block->next;
    free(block);
  }
  free(pool);
}

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
