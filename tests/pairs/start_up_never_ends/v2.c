// A version that never becomes quiescent: it waits where no server waits.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "pair.h"

int value = 1;

int pair_version(void) { return 2; }

void pair_start(void) {
  mkfifo("nobody", 0600);
  value = open("nobody", O_RDONLY);  // waits for somebody to write
}

void pair_state(void) { value = 2; }

const char* pair_check(void) {
  EXPECT(value == 2);
  return NULL;
}

void pair_end(void) {}
