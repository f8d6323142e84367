// Each request has a context of each module, at the module's index, which start-up gives out: the
// new version has a module more, and another order of them.
#include <stdlib.h>

#include "pair.h"

enum kind { OTHERS, REQUESTS };
struct module {
  int index;
  enum kind kind;
};
struct request {
  int id;
  void** contexts;
};

struct module core = {-1, OTHERS}, proxy = {-1, REQUESTS}, limit = {-1, REQUESTS},
              gzip = {-1, REQUESTS};
static long module_count;
static struct request* requests[2];

static void number(struct module* const* modules) {
  core.index = 1;  // among others
  for (; *modules != NULL; ++modules) (*modules)->index = (int)module_count++;
}

void pair_state(void) {
  for (int i = 0; i < 2; ++i) {
    struct request* request = calloc(1, sizeof *request);
    request->id = i;
    request->contexts = calloc((size_t)module_count, sizeof(void*));
    request->contexts[proxy.index] = request;
    struct limit_context* context = calloc(1, sizeof *context);
    context->id = 10 + i;
    request->contexts[limit.index] = context;
    requests[i] = request;
  }
  requests[0]->contexts[gzip.index] = malloc(100);
}

const char* pair_check(void) {
  for (int i = 0; i < 2; ++i) {
    EXPECT(requests[i]->id == i);
    EXPECT(requests[i]->contexts[proxy.index] == requests[i]);
    EXPECT(((struct limit_context*)requests[i]->contexts[limit.index])->id == 10 + i);
    EXPECT((requests[i]->contexts[gzip.index] != NULL) == (i == 0));
    EXPECT(is_empty(requests[i]->contexts));
  }
  return NULL;
}

void pair_end(void) {
  for (int i = 0; i < 2; ++i) {
    free(requests[i]->contexts[limit.index]);
    free(requests[i]->contexts[gzip.index]);
    free(requests[i]->contexts);
    free(requests[i]);
  }
}
