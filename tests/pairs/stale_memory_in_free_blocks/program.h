// Free memory that is full of old pointers, out of which malloc takes what the grown objects need:
// it puts its own records between them.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define COUNT 50
#define BLOCK 16384

static struct item* items[COUNT];
static void* guards[2];

static int value(int id) { return 3 * id; }

void pair_start(void) {}

void pair_state(void) {
  for (int i = 0; i < COUNT; ++i) {
    items[i] = calloc(1, sizeof *items[i]);
    items[i]->id = i;
    items[i]->value = value;
  }
  guards[0] = malloc(100);
  int (**block)(int) = malloc(BLOCK);
  guards[1] = malloc(100);
  for (size_t i = 0; i < BLOCK / sizeof *block; ++i) memcpy(block + i, &(void*){(void*)value}, 8);
  free(block);
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) {
    EXPECT(items[i]->id == i && items[i]->value(i) == 3 * i);
    // Whatever malloc has recorded is in order.
    items[i] = realloc(items[i], sizeof *items[i] + 64);
  }
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < COUNT; ++i) free(items[i]);
  free(guards[0]);
  free(guards[1]);
}
