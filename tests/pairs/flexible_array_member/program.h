// A header and as many entries behind it as were asked for.
#include <stdlib.h>

#include "pair.h"

static struct message* at_start;
static struct message* later;

static struct message* make(int count, int seed) {
  struct message* message = calloc(1, sizeof *message + count * sizeof message->entries[0]);
  message->count = count;
  message->seed = seed;
  for (int i = 0; i < count; ++i) {
    message->entries[i].key = seed + i;
    message->entries[i].owner = message;
  }
  return message;
}

void pair_start(void) { at_start = make(3, 100); }

void pair_state(void) { later = make(1000, 500); }

static const char* check_message(const struct message* message, int count, int seed) {
  EXPECT(message->count == count && message->seed == seed);
  for (int i = 0; i < count; ++i) {
    EXPECT(message->entries[i].key == seed + i && message->entries[i].owner == message);
  }
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_message(at_start, 3, 100);
  return wrong ? wrong : check_message(later, 1000, 500);
}

void pair_end(void) {
  free(at_start);
  free(later);
}
