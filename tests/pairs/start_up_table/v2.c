#include <stddef.h>

struct request {
  long stamp, bytes;
  int flags, id;
};

// Both are gone, and this is in their place.
static long get_number(const struct request* request, size_t offset) {
  return offset == offsetof(struct request, id) ? request->id : request->bytes;
}
#define TABLE_VERSION long version;
#define LIMIT 20
#define GET_ID get_number
#define GET_BYTES get_number

#include "program.h"

int pair_version(void) { return 2; }
