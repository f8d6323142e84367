struct limits {
  int timeout;
  long retries, burst;
  long size;
};

#define TIMEOUT 60
#define SIZE 1000
#define START_NEW_LIMITS(limits) ((limits)->retries = 3, (limits)->burst = 50)
#define NEW_LIMITS_ARE_RIGHT(limits) ((limits)->retries == 3 && (limits)->burst == 50)

// The other one is gone.
static int times_ten(int value) { return value * 10; }
#define HANDLER times_ten
#define HANDLED_3 30

#include "programs/derived_pool.h"

int pair_version(void) { return 2; }
void pair_state(void) { add_sessions(); }
