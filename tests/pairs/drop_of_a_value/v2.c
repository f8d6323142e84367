struct request {
  long id;
  struct request *cookies, *cookie;
};

#include "programs/dropped_arrays.h"

static void fill(struct request* request) { (void)request; }

static int is_empty(const struct request* request) {
  return request->cookies == NULL && request->cookie == NULL;
}

int pair_version(void) { return 2; }
