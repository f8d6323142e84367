// A union of which `kind` says what it holds; one of its members changes.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define COUNT 4
static struct value* values[COUNT];
struct value single;

static void set(struct value* value, enum kind kind) {
  value->kind = kind;
  if (kind == NUMBER) value->u.number = 1234567;
  if (kind == POINT) {
    value->u.point.x = 30000;
    value->u.point.y = -5;
  }
  if (kind == TEXT) strcpy(value->u.text, "text");
  if (kind == OTHER) value->u.other = &single;
}

void pair_start(void) {
  for (int i = 0; i < COUNT; ++i) values[i] = calloc(1, sizeof *values[i]);
  set(values[POINT], POINT);
}

void pair_state(void) {
  set(values[NUMBER], NUMBER);
  set(values[TEXT], TEXT);
  set(values[OTHER], OTHER);
  set(&single, POINT);
}

static const char* check_value(const struct value* value, enum kind kind) {
  EXPECT(value->kind == kind);
  if (kind == NUMBER) EXPECT(value->u.number == 1234567);
  if (kind == POINT) EXPECT(value->u.point.x == 30000 && value->u.point.y == -5);
  if (kind == TEXT) EXPECT(strcmp(value->u.text, "text") == 0);
  if (kind == OTHER) EXPECT(value->u.other == &single);
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_value(&single, POINT);
  for (int i = 0; i < COUNT && !wrong; ++i) wrong = check_value(values[i], i);
  return wrong;
}

void pair_end(void) {
  for (int i = 0; i < COUNT; ++i) free(values[i]);
}
