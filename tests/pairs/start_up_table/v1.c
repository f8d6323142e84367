#include <stddef.h>

struct request {
  int id;
  long bytes;
};

static long get_id(const struct request* request, size_t offset) {
  return *(const int*)((const char*)request + offset);
}
static long get_bytes(const struct request* request, size_t offset) {
  return *(const long*)((const char*)request + offset);
}
#define TABLE_VERSION
#define LIMIT 10
#define GET_ID get_id
#define GET_BYTES get_bytes

#include "program.h"

int pair_version(void) { return 1; }
