enum state { UNKNOWN, CLOSED, IDLE, CONNECTING, ACTIVE };

#include "program.h"

int pair_version(void) { return 2; }
