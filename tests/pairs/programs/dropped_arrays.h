// Requests with arrays that may be empty: a version shows what it has of them.
#include <stdlib.h>

#include "pair.h"

#define COUNT 3

static struct request* requests[COUNT];

static void fill(struct request* request);
static int is_empty(const struct request* request);

void pair_start(void) {}

void pair_state(void) {
  for (int i = 0; i < COUNT; ++i) {
    requests[i] = calloc(1, sizeof *requests[i]);
    requests[i]->id = i;
    fill(requests[i]);
  }
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) EXPECT(requests[i]->id == i && is_empty(requests[i]));
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < COUNT; ++i) free(requests[i]);
}
