// Ginseng's struct T (Neamtiu et al., PLDI 2006) gets a third member, which is zero.
#include <stdlib.h>

#include "pair.h"

struct T t = {.x = 1, .y = 2};
static struct T array[3];
static struct T* heap;

static void set(struct T* t, int x, int y) {
  t->x = x;
  t->y = y;
}

void pair_start(void) { heap = calloc(1, sizeof *heap); }

void pair_state(void) {
  set(&t, 3, 4);
  for (int i = 0; i < 3; ++i) set(&array[i], 10 * i, 20 * i);
  set(heap, 5, 6);
}

static const char* check_t(const struct T* t, int x, int y) {
  EXPECT(t->x == x && t->y == y);
  EXPECT(third(t) == 0);
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_t(&t, 3, 4);
  for (int i = 0; i < 3 && !wrong; ++i) wrong = check_t(&array[i], 10 * i, 20 * i);
  return wrong ? wrong : check_t(heap, 5, 6);
}

void pair_end(void) { free(heap); }
