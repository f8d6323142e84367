// A million objects on the heap, of which every tenth is of a type that the versions define
// differently (struct changed). Commands are characters in a FIFO: one that is opened for both directions
// has no end, in a rehearsal either.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

int main(int argc, char** argv) {
  const int commands = argc == 2 ? open(argv[1], O_RDWR) : -1;
  char command;
  if (commands < 0) return 1;
  puts("ready");
  fflush(stdout);
  while (read(commands, &command, 1) == 1) {
    if (command == 'f') fill();
    puts(command == 'c' ? check() : "ok");
    fflush(stdout);
  }
  return 0;
}
