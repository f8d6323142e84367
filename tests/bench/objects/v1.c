#include <stdlib.h>

struct changed {
  long number;
  int twice;
};

static struct changed* make(long number) {
  struct changed* object = calloc(1, sizeof *object);
  object->number = number;
  object->twice = (int)(2 * number);
  return object;
}

static int is_right(const struct changed* object, long number) {
  return object->number == number && object->twice == 2 * number;
}

#include "objects.h"
