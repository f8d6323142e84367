// A union that does not change, in structs that do: numbers, text, and pointers to all there is.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct target {
  int number;
};
union value {
  long number;
  char text[8];
  double real;
  struct target* target;
  int (*function)(int);
};

static int negate(int value) { return -value; }
static struct target target = {5};

struct variant {
  VARIANT_FIELDS
};

#define COUNT 6
static struct variant* variants[COUNT];

static struct variant* make(int id) {
  struct variant* variant = calloc(1, sizeof *variant);
  variant->id = id;
  return variant;
}

void pair_start(void) {
  for (int i = 0; i < COUNT; ++i) variants[i] = make(i);
}

void pair_state(void) {
  variants[0]->value.number = 123456789;
  strcpy(variants[1]->value.text, "seven c");
  variants[2]->value.real = 2.5;
  variants[3]->value.target = &target;
  variants[4]->value.target = malloc(sizeof(struct target));
  variants[4]->value.target->number = 44;
  variants[5]->value.function = negate;
  target.number = 6;
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) EXPECT(variants[i]->id == i);
  EXPECT(variants[0]->value.number == 123456789);
  EXPECT(strcmp(variants[1]->value.text, "seven c") == 0);
  EXPECT(variants[2]->value.real == 2.5);
  EXPECT(variants[3]->value.target == &target && target.number == 6);
  EXPECT(variants[4]->value.target->number == 44);
  EXPECT(variants[5]->value.function == negate && variants[5]->value.function(3) == -3);
  return NULL;
}

void pair_end(void) {
  free(variants[4]->value.target);
  for (int i = 0; i < COUNT; ++i) free(variants[i]);
}
