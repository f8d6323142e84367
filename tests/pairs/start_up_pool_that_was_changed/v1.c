// As start_up_pool_of_unknown_types, but the server has changed a number in the pool since, in what
// is of a type that changes: the new version's start does not have it, and nothing says where it
// belongs.
struct limits {
  int timeout;
  long size;
};

#define TIMEOUT 30
#define SIZE 2000
#define START_NEW_LIMITS(limits) ((void)(limits))
#define NEW_LIMITS_ARE_RIGHT(limits) 1

static int add_one(int value) { return value + 1; }
#define HANDLER add_one
#define HANDLED_3 4

#include "programs/derived_pool.h"

int pair_version(void) { return 1; }

void pair_state(void) {
  add_sessions();
  ((struct limits*)configs[LIMITS])->size = SIZE;
}
