// Start-up allocates a buffer and notes its size. The new version's is larger, and a type changes
// as well: a number that follows the new version's start without the memory would be wrong.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct buffer {
  char* data;
  size_t size;
};

static struct buffer* buffer;
static struct item* item;

void pair_start(void) {
  buffer = malloc(sizeof *buffer);
  buffer->size = SIZE;
  buffer->data = calloc(1, buffer->size);
}

void pair_state(void) {
  item = calloc(1, sizeof *item);
  item->id = 5;
}

const char* pair_check(void) {
  memset(buffer->data, 'x', buffer->size);
  EXPECT(item == NULL || item->id == 5);
  return NULL;
}

void pair_end(void) {
  free(buffer->data);
  free(buffer);
  free(item);
}
