// Memory of a library's: the program has one pointer to it, and it leads to blocks of the size that
// an item has, too. An annotation says that malloc is never asked for an item.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define BLOCK 16  // bytes: an item's

struct library {
  long version;
  void* blocks[8];
};
static struct item only;
static void* library;

void pair_start(void) {
  only.name = strdup("only");
  only.id = 5;
  only.weight = 50;
}

void pair_state(void) {
  struct library* fresh = calloc(1, sizeof *fresh);
  fresh->version = 3;
  for (int i = 0; i < 8; ++i) {
    char* block = fresh->blocks[i] = calloc(1, BLOCK);
    memset(block + sizeof(char*), 'a' + i, BLOCK - sizeof(char*));
  }
  library = fresh;
}

const char* pair_check(void) {
  EXPECT(only.id == 5 && only.weight == 50 && strcmp(only.name, "only") == 0);
  struct library* known = library;
  for (int i = 0; known != NULL && i < 8; ++i) {
    const char* block = known->blocks[i];
    for (size_t j = 0; j < BLOCK; ++j) EXPECT(block[j] == (j < sizeof(char*) ? 0 : 'a' + i));
  }
  return NULL;
}

void pair_end(void) {
  struct library* known = library;
  for (int i = 0; i < 8; ++i) free(known->blocks[i]);
  free(known);
  free(only.name);
}
