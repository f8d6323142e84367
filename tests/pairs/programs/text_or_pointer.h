// Characters in front of a pointer and characters over one: the same bytes, and nothing tells
// which.
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

enum { TEXT = 16 };

// Characters, and directly behind them a pointer to a literal.
static char* field;
// Characters whose last one is the first byte of what used to be a pointer to a literal.
static char* line;
static char written[TEXT + 1];
static int chosen = -1;

void pair_start(void) {}

// Nothing else points to one of these.
static const char* label(int number) {
  switch (number) {
    case -2:
      return OTHER_LABEL;
    case 0:
      return "a first label";
    case 1:
      return "a label that is longer";
    case 2:
      return "another";
    case 3:
      return "a fourth one of them";
    case 4:
      return "the label in the middle of all";
    case 5:
      return "not the last one";
    case 6:
      return "a label again";
    case 7:
      return "this may be the one";
    case 8:
      return "if it was not this one before";
    case 9:
      return "the last of the labels";
    default:
      return NULL;
  }
}

// The first byte of its address is a character.
static int choose(void) {
  for (int i = 0; label(i) != NULL; ++i) {
    if (isalnum((int)((uintptr_t)label(i) & 0xff))) return i;
  }
  return -1;
}

static char* put(int number) {
  char* memory = malloc(TEXT + sizeof(char*));
  const char* pointer = label(number);
  memset(memory, 'x', TEXT);
  memcpy(memory + TEXT, &pointer, sizeof pointer);
  return memory;
}

void pair_state(void) {
  chosen = choose();
  field = put(chosen);
  line = put(chosen);
  memcpy(written, line, sizeof written);
}

const char* pair_check(void) {
  EXPECT(chosen >= 0);
  const char* pointer;
  memcpy(&pointer, field + TEXT, sizeof pointer);
  EXPECT(strcmp(pointer, label(chosen)) == 0);
  EXPECT(memcmp(line, written, sizeof written) == 0);
  EXPECT(strcmp(label(-2), OTHER_LABEL) == 0);
  return NULL;
}

void pair_end(void) {
  free(field);
  free(line);
}
