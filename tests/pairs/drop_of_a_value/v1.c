struct array {
  void* elements;
  long count;
};
struct request {
  struct array cookies, proxies;
  long id;
};

#include "programs/dropped_arrays.h"

static void fill(struct request* request) {
  if (request->id == 2) request->proxies.elements = request;
}

static int is_empty(const struct request* request) {
  return request->cookies.count == 0 && request->proxies.count == 0;
}

int pair_version(void) { return 1; }
