// A table that is keyed by the addresses of objects: these must stay where they are if they can.
#include <stdint.h>
#include <stdlib.h>

#include "pair.h"

#define SLOTS 256
#define COUNT 100

static struct object* objects[COUNT];
static struct slot {
  const struct object* key;
  int value;
} slots[SLOTS];

static struct slot* find(const struct object* key) {
  unsigned at = ((uintptr_t)key >> 4) * 2654435761u % SLOTS;
  while (slots[at].key != NULL && slots[at].key != key) at = (at + 1) % SLOTS;
  return &slots[at];
}

static void add(int id) {
  struct object* object = objects[id] = calloc(1, sizeof *object);
  object->id = id;
  struct slot* slot = find(object);
  slot->key = object;
  slot->value = 10 * id;
}

void pair_start(void) {
  for (int i = 0; i < COUNT / 2; ++i) add(i);
}

void pair_state(void) {
  for (int i = COUNT / 2; i < COUNT; ++i) add(i);
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) {
    EXPECT(objects[i]->id == i);
    EXPECT(find(objects[i])->key == objects[i] && find(objects[i])->value == 10 * i);
  }
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < COUNT; ++i) free(objects[i]);
}
