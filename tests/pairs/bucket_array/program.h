// A hash table: an array of pointers to chains, as a variable and in the heap, where it is resized.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define COUNT 300

struct entry* names[16];
static struct entry** numbers;
static unsigned bucket_count;

static void add_number(int key) {
  struct entry* entry = calloc(1, sizeof *entry);
  entry->key = key;
  entry->next = numbers[key % bucket_count];
  numbers[key % bucket_count] = entry;
}

static struct entry* find_number(int key) {
  struct entry* entry = numbers[key % bucket_count];
  while (entry != NULL && entry->key != key) entry = entry->next;
  return entry;
}

static void resize(unsigned count) {
  struct entry** old = numbers;
  unsigned old_count = bucket_count;
  numbers = calloc(count, sizeof *numbers);
  bucket_count = count;
  for (unsigned i = 0; i < old_count; ++i) {
    while (old[i] != NULL) {
      struct entry* entry = old[i];
      old[i] = entry->next;
      entry->next = numbers[entry->key % count];
      numbers[entry->key % count] = entry;
    }
  }
  free(old);
}

void pair_start(void) {
  resize(64);
  for (int i = 0; i < COUNT / 2; ++i) add_number(i);
}

void pair_state(void) {
  resize(128);
  for (int i = COUNT / 2; i < COUNT; ++i) add_number(i);
  for (int i = 0; i < 16; i += 2) names[i] = find_number(7 * i);
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) EXPECT(find_number(i) != NULL);
  EXPECT(find_number(COUNT) == NULL);
  for (int i = 0; i < 16; ++i) {
    EXPECT(i % 2 == 0 ? names[i] == find_number(7 * i) : names[i] == NULL);
  }
  resize(200);
  for (int i = 0; i < COUNT; ++i) EXPECT(find_number(i) != NULL);
  return NULL;
}

void pair_end(void) {
  for (unsigned i = 0; i < bucket_count; ++i) {
    while (numbers[i] != NULL) {
      struct entry* next = numbers[i]->next;
      free(numbers[i]);
      numbers[i] = next;
    }
  }
  free(numbers);
}
