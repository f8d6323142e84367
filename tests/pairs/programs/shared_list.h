// A list in memory that processes share, to which nothing but a `void *` leads.
#include <stdlib.h>
#include <sys/mman.h>

#include "pair.h"

#define SIZE 4096
#define COUNT 4
static void* shared;

void pair_start(void) {
  shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) abort();
}

static void fill_entries(void) {
  struct entry* entries = shared;
  for (int i = 0; i < COUNT; ++i) {
    entries[i].next = i + 1 < COUNT ? &entries[i + 1] : NULL;
    entries[i].first = &entries[0];
    entries[i].number = 100 + i;
  }
}

static const char* check_entries(void) {
  int i = 0;
  for (const struct entry* entry = shared; entry != NULL; entry = entry->next, ++i) {
    EXPECT(entry->first == shared && entry->number == 100 + i);
  }
  EXPECT(i == COUNT);
  return NULL;
}
