// The same literals at other places, among new ones.
#include <stdlib.h>
#include <string.h>

#include "pair.h"

const char* const first_of_all = "a literal before all others, which moves them";
const char* name = "start";
const char* const table[] = {"zero", "one", "two", "three", "four"};
static const char** words;
static const char* end;

int pair_version(void) { return 2; }

void pair_start(void) {
  words = calloc(4, sizeof *words);
  words[0] = "at start-up";
}

void pair_state(void) {
  name = "a name given later";
  words[1] = "given later";
  words[2] = table[2];
  words[3] = "key=value";
  end = strchr(words[3], '=');
}

const char* pair_check(void) {
  EXPECT(strcmp(first_of_all, "a literal before all others, which moves them") == 0);
  EXPECT(strcmp(name, "a name given later") == 0);
  EXPECT(strcmp(words[0], "at start-up") == 0);
  EXPECT(strcmp(words[1], "given later") == 0);
  EXPECT(words[2] == table[2] && strcmp(words[2], "two") == 0);
  EXPECT(strcmp(words[3], "key=value") == 0);
  EXPECT(strcmp(end, "=value") == 0 && end - words[3] == 3);
  return NULL;
}

void pair_end(void) { free(words); }
