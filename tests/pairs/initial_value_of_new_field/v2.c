static int first_rate(int id);

struct peer {
  int limit;
  int id;
  int (*rate)(int);
  int original_id;
};
#define INITIALISE(peer) \
  ((peer)->limit = 50, (peer)->rate = first_rate, (peer)->original_id = (peer)->id)
#define IS_INITIALISED(peer) \
  ((peer)->limit == 50 && (peer)->rate == first_rate && (peer)->original_id == (peer)->id)

#include "program.h"

int pair_version(void) { return 2; }
