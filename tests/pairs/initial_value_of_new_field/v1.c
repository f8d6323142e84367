struct peer {
  int id;
};
#define INITIALISE(peer) (void)peer
#define IS_INITIALISED(peer) ((peer)->id >= 0)

#include "program.h"

int pair_version(void) { return 1; }
