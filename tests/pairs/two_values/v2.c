// A variable before all others, and one of them stands for another value now.
#define LIMIT 24

static long calls;

#include "programs/two_values.h"

int pair_version(void) { return ++calls > 0 ? 2 : 0; }
