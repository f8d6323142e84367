enum state { IDLE, ACTIVE, CLOSED };

#include "program.h"

int pair_version(void) { return 1; }
