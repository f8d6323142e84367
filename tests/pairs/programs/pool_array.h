// An array that knows the size of its elements as a number, in a pool, and a pointer into it.
#include "programs/pool_allocator.h"

struct array {
  void* elements;
  unsigned count, capacity;
  size_t size;
  struct pool* pool;
};

static struct pool* pool;
static struct array entries;
static const struct entry* newest;

static void* array_push(struct array* array) {
  if (array->count == array->capacity) {
    void* elements = pool_allocate(array->pool, array->size * array->capacity * 2);
    memcpy(elements, array->elements, array->size * array->count);
    array->elements = elements;
    array->capacity *= 2;
  }
  return (char*)array->elements + array->size * array->count++;
}

static void add(void) {
  unsigned index = entries.count;
  struct entry* entry = array_push(&entries);
  entry->id = (int)index;
  entry->name = index % 2 ? "odd" : "even";
  newest = entry;
}

void pair_start(void) {
  pool = pool_create();
  entries.pool = pool;
  entries.capacity = 8;
  entries.size = sizeof(struct entry);
  entries.elements = pool_allocate(pool, entries.size * entries.capacity);
}

void pair_state(void) {
  for (int i = 0; i < 5; ++i) add();
}

const char* pair_check(void) {
  EXPECT(entries.size == sizeof(struct entry));
  const struct entry* all = entries.elements;
  for (unsigned i = 0; i < entries.count; ++i) {
    EXPECT(all[i].id == (int)i);
    EXPECT(strcmp(all[i].name, i % 2 ? "odd" : "even") == 0);
  }
  EXPECT(entries.count == 0 || newest->id == (int)entries.count - 1);
  int* behind = pool_allocate(pool, sizeof *behind);
  *behind = 7;
  if (entries.count > 0) {
    while (entries.count < entries.capacity) add();  // must not run into what is behind
    EXPECT(*behind == 7);
  }
  return NULL;
}

void pair_end(void) { pool_destroy(pool); }
