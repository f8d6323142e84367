// What runs at exit: functions that the C library keeps, two of them with an argument.
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

struct record {
  int version;
};
static struct record first;
static struct record* second;

static void verdict(void) {  // the last one
  int right = first.version == pair_version() && second->version == 2 * pair_version();
  _exit(right ? 0 : 9);
}

static void note(int status, void* record) {
  ((struct record*)record)->version = status * pair_version();
}

void pair_start(void) {
  atexit(verdict);
  on_exit(note, &first);
}

static void change_second(void) { second->version *= 2; }

void pair_state(void) {
  second = malloc(sizeof *second);
  atexit(change_second);
  on_exit(note, second);
}

const char* pair_check(void) {
  EXPECT(first.version == 0);
  return NULL;
}

void pair_end(void) { exit(1); }  // becomes 0 if all of them run
