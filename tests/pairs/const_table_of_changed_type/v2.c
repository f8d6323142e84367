#include "pair.h"

static int increment(int value) { return value + 1; }
static int twice(int value) { return value * 2; }
static int halve(int value) { return value / 2; }
static int square(int value) { return value * value; }
struct command {
  const char* name;
  int flags;
  int (*run)(int);
};
const struct command commands[] = {
    {"increment", 1, increment},
    {"twice", 2, twice},
    {"halve", 4, halve},
    {"square", 8, square},
};
static int (*const steps[])(int) = {increment, twice, halve, square};

static int current_flags(void);
static const char* check_own(void) {
  EXPECT(commands[3].run(3) == 9 && current_flags() == 4);
  return 0;
}

#include "programs/const_table.h"

int pair_version(void) { return 2; }
static int current_flags(void) { return current->flags; }
