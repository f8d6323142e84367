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
