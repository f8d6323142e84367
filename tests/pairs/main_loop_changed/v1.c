// The loop that is on the stack changes; its locals are kept.
#include <stddef.h>

#include "pair.h"

struct stats {
  int served;
  int last;
};
static struct stats* current;  // on the stack of main()
static int prepared;

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  struct stats stats = {0, 0};
  current = &stats;
  for (;;) {
    pair_serve(commands);
    ++stats.served;
  }
}

int pair_version(void) { return 1; }

void pair_start(void) { ++prepared; }

void pair_state(void) { current->last = 55; }

const char* pair_check(void) {
  static int checks;
  EXPECT(prepared == 1);
  EXPECT(current->last == 55);
  EXPECT(current->served >= 2 && current->served < 20);
  EXPECT(++checks < current->served);

  return NULL;
}

void pair_end(void) {}
