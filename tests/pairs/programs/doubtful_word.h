// For a while only: a word behind characters that may be their end, or a pointer to a variable.
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

enum { TEXT = 16, POINTER = 8 };

// In whatever order, so that the others lie elsewhere.
char in_front[SIZE_BESIDE] = "some";
// Wherever they are, the address of some begins with a character.
#define VALUE(name) static char name[16] = #name
VALUE(value_0);
VALUE(value_1);
VALUE(value_2);
VALUE(value_3);
VALUE(value_4);
VALUE(value_5);
VALUE(value_6);
VALUE(value_7);
VALUE(value_8);
VALUE(value_9);
VALUE(value_a);
VALUE(value_b);
VALUE(value_c);
VALUE(value_d);
VALUE(value_e);
VALUE(value_f);
char behind[SIZE_BESIDE] = "more";

static char* line;
static int checks;

// Not by way of a table: nothing else points to one of them.
#define TRY(name)                                        \
  do {                                                   \
    char* at = name;                                     \
    __asm__("" : "+r"(at));                              \
    if (isalnum((int)((uintptr_t)at & 0xff))) return at; \
  } while (0)

static char* choose(void) {
  TRY(value_0);
  TRY(value_1);
  TRY(value_2);
  TRY(value_3);
  TRY(value_4);
  TRY(value_5);
  TRY(value_6);
  TRY(value_7);
  TRY(value_8);
  TRY(value_9);
  TRY(value_a);
  TRY(value_b);
  TRY(value_c);
  TRY(value_d);
  TRY(value_e);
  TRY(value_f);
  return NULL;
}

void pair_start(void) {}

// No length or end of the text is to be left beside its address.
__attribute__((noinline)) static void forget(void) {
  volatile char stack[4096];
  for (size_t i = 0; i < sizeof stack; ++i) stack[i] = 0;
}

__attribute__((noinline)) static void fill(volatile char* text) {
  for (int i = TEXT; i-- > 0;) text[i] = 'x';
}

void pair_state(void) {
  const char* pointer = choose();
  line = malloc(TEXT + POINTER);
  fill(line);
  memcpy(line + TEXT, &pointer, POINTER);
  forget();
}

// From the second time on the word is none of both.
const char* pair_check(void) {
  EXPECT(choose() != NULL);
  EXPECT(memcmp(choose(), "value_", 6) == 0);
  EXPECT(in_front[0] == 's' && behind[0] == 'm');
  EXPECT(line[0] == 'x' && line[TEXT - 1] == 'x');
  if (++checks > 1) memset(line + TEXT, 0, POINTER);
  return NULL;
}

void pair_end(void) { free(line); }
