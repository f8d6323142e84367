// What start-up has put into a pool, and nobody has touched since, becomes what the new version's
// start puts there, although nothing says which types are there and all of it has shifted; what the
// server has allocated since leads to the same things in it.
struct limits {
  int timeout;
  long size;
};

#define TIMEOUT 30
#define SIZE 1000
#define START_NEW_LIMITS(limits) ((void)(limits))
#define NEW_LIMITS_ARE_RIGHT(limits) 1

static int add_one(int value) { return value + 1; }
#define HANDLER add_one
#define HANDLED_3 4

#include "programs/derived_pool.h"

int pair_version(void) { return 1; }
void pair_state(void) { add_sessions(); }
