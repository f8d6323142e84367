// A million objects on the heap, of which every tenth is of a type that the versions define
// differently (struct changed). Commands come line by line.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 1000000

struct changed;

struct same {
  struct same* next;
  struct changed* every_tenth;
  long number;
};

static struct same* first;

static void fill(void) {
  for (long number = 0; number < COUNT - COUNT / 11; ++number) {
    struct same* object = calloc(1, sizeof *object);
    object->number = number;
    object->next = first;
    if (number % 10 == 0) object->every_tenth = make(number);
    first = object;
  }
}

static const char* check(void) {
  long number = COUNT - COUNT / 11;
  for (const struct same* object = first; object != NULL; object = object->next) {
    if (object->number != --number) return "an object is not what it was";
    if ((object->every_tenth != NULL) != (number % 10 == 0)) return "a pointer is not what it was";
    if (object->every_tenth != NULL && !is_right(object->every_tenth, number)) {
      return "an object of the changed type is wrong";
    }
  }
  return number == 0 ? "ok" : "objects are missing";
}

int main(void) {
  char line[64];
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strcmp(line, "fill\n") == 0) fill();
    puts(strcmp(line, "check\n") == 0 ? check() : "ok");
    fflush(stdout);
  }
  return 0;
}
