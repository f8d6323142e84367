// An integer that happens to be an object's address: the object stays where it is, changed or not.
#include <stdint.h>
#include <stdlib.h>

#include "pair.h"

static struct item* changed;  // of a type that changes and still fits
static struct item* last;
static long* unchanged;
static uintptr_t cookies[3];
static uintptr_t* heap_cookie;

void pair_start(void) {
  changed = calloc(1, sizeof *changed);
  changed->id = 1;
  heap_cookie = malloc(sizeof *heap_cookie);
}

void pair_state(void) {
  last = calloc(1, sizeof *last);
  last->id = 2;
  last->size = 20;
  unchanged = malloc(sizeof *unchanged);
  *unchanged = 3;
  cookies[0] = (uintptr_t)changed;
  cookies[1] = (uintptr_t)unchanged;
  cookies[2] = (uintptr_t)&last->id ^ 0x5555;  // no pointer, and not to be touched
  *heap_cookie = (uintptr_t)last;
}

const char* pair_check(void) {
  EXPECT(cookies[0] == (uintptr_t)changed && changed->id == 1);
  EXPECT(cookies[1] == (uintptr_t)unchanged && *unchanged == 3);
  EXPECT(*heap_cookie == (uintptr_t)last && last->id == 2 && last->size == 20);
  return NULL;
}

void pair_end(void) {
  free(changed);
  free(last);
  free(unchanged);
  free(heap_cookie);
}
