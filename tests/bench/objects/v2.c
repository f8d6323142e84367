#include <stdlib.h>

struct changed {
  long more[4];
  long twice;
  long number;
};

static struct changed* make(long number) {
  struct changed* object = calloc(1, sizeof *object);
  object->number = number;
  object->twice = 2 * number;
  return object;
}

static int is_right(const struct changed* object, long number) {
  return object->number == number && object->twice == 2 * number && object->more[3] == 0;
}

#include "objects.h"
