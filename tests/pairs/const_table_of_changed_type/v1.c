#include "pair.h"

static int increment(int value) { return value + 1; }
static int twice(int value) { return value * 2; }
static int halve(int value) { return value / 2; }

struct command {
  const char* name;
  int (*run)(int);
};
const struct command commands[] = {
    {"increment", increment},
    {"twice", twice},
    {"halve", halve},
};
static int (*const steps[])(int) = {increment, twice, halve};

static const char* check_own(void) {
  EXPECT(sizeof commands / sizeof commands[0] == 3);
  return 0;
}

#include "programs/const_table.h"

int pair_version(void) { return 1; }
