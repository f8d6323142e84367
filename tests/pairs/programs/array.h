// Arrays of integers and of structs, as a variable and in a heap object.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct entry {
  int key;
  const char* text;
};
struct entry entries[SIZE];
int numbers[SIZE];

struct box {
  int before;
  int numbers[SIZE];
  struct entry entries[SIZE];
  char name[4 * SIZE];
  int after;
};
static struct box* at_start;
static struct box* later;

static struct box* make(int seed) {
  struct box* box = calloc(1, sizeof *box);
  box->before = seed;
  for (int i = 0; i < USED; ++i) {
    box->numbers[i] = seed + i;
    box->entries[i].key = seed - i;
    box->entries[i].text = "boxed";
  }
  strcpy(box->name, "name");
  box->after = -seed;
  return box;
}

void pair_start(void) {
  entries[0].text = "start-up";
  at_start = make(100);
}

void pair_state(void) {
  for (int i = 0; i < USED; ++i) {
    numbers[i] = 3 * i + 1;
    entries[i].key = i;
    entries[i].text = "later";
  }
  later = make(200);
}

static const char* check_box(const struct box* box, int seed) {
  EXPECT(box->before == seed && box->after == -seed);
  for (int i = 0; i < USED; ++i) {
    EXPECT(box->numbers[i] == seed + i);
    EXPECT(box->entries[i].key == seed - i && strcmp(box->entries[i].text, "boxed") == 0);
  }
  for (int i = USED; i < SIZE; ++i) EXPECT(box->numbers[i] == 0 && box->entries[i].text == NULL);
  EXPECT(strcmp(box->name, "name") == 0);
  return NULL;
}

const char* pair_check(void) {
  for (int i = 0; i < USED; ++i) {
    EXPECT(numbers[i] == 3 * i + 1);
    EXPECT(entries[i].key == i && strcmp(entries[i].text, "later") == 0);
  }
  for (int i = USED; i < SIZE; ++i) EXPECT(numbers[i] == 0 && entries[i].text == NULL);
  const char* wrong = check_box(at_start, 100);
  return wrong ? wrong : check_box(later, 200);
}

void pair_end(void) {
  free(at_start);
  free(later);
}
