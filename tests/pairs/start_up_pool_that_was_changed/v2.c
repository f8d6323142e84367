// The new fields begin with what is in the changed one before, and are easily taken for it.
struct limits {
  int timeout;
  long retries, burst;
  long size;
};

#define TIMEOUT 60
#define SIZE 2000
#define START_NEW_LIMITS(limits) ((limits)->retries = 1000, (limits)->burst = 1000)
#define NEW_LIMITS_ARE_RIGHT(limits) ((limits)->retries == 1000 && (limits)->burst == 1000)

static int add_one(int value) { return value + 1; }
#define HANDLER add_one
#define HANDLED_3 4

#include "programs/derived_pool.h"

int pair_version(void) { return 2; }
void pair_state(void) { add_sessions(); }
