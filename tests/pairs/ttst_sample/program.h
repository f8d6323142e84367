// The sample update of TTST (Giuffrida et al., LISA 2013): `inner_ptr` follows what it points to.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

union u {
  int number;
  char bytes[4];
};

VERSION_OF_S;

struct s var;
static struct s* in_heap;
static int target = 9;

static void fill(struct s* s, int seed) {
  s->count = seed;
  strcpy(s->str, "a");
  s->id = 7;
  s->u.number = seed + 1;
  s->addr = seed + 2;
}

void pair_start(void) {
  in_heap = calloc(1, sizeof *in_heap);
  in_heap->inner_ptr = &in_heap->id;
}

void pair_state(void) {
  fill(&var, 100);
  var.inner_ptr = &var.id;
  fill(in_heap, 200);
  SET_PTR(var, &target);
}

static const char* check_s(struct s* s, int seed) {
  EXPECT(s->count == seed && strcmp(s->str, "a") == 0 && s->id == 7);
  EXPECT(s->u.number == seed + 1 && s->addr == seed + 2);
  EXPECT(s->inner_ptr == &s->id && *s->inner_ptr == 7);
  *s->inner_ptr = 8;
  EXPECT(s->id == 8);
  s->id = 7;
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_s(&var, 100);
  if (!wrong) wrong = check_s(in_heap, 200);
  return wrong;
}

void pair_end(void) { free(in_heap); }
