// The sample update of PROTEOS (Giuffrida et al., ASPLOS 2013): a text is cut, a number widened, a
// pointer to it follows, an integer that holds an address goes on holding it.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pair.h"

union u {
  long number;
  char bytes[8];
};

VERSION_OF_MY_S;

struct s my_s;
number* p = &my_s.id;
static int* low;  // memory whose address fits into an int

void pair_start(void) {
  low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (low == MAP_FAILED) abort();
}

void pair_state(void) {
  my_s.flags = 3;
  memcpy(my_s.string, TEXT, sizeof my_s.string);
  my_s.id = 7;
  my_s.u.number = 1234567890123;
  my_s.addr = (int)(uintptr_t)low;
  *low = 42;
}

const char* pair_check(void) {
  EXPECT(my_s.flags == 3 && my_s.id == 7 && my_s.u.number == 1234567890123);
  EXPECT(memcmp(my_s.string, TEXT, sizeof my_s.string) == 0);
  EXPECT(p == &my_s.id && *p == 7);
  EXPECT(*(int*)(uintptr_t)(unsigned)my_s.addr == 42);
  return check_own(&my_s);
}

void pair_end(void) { munmap(low, 4096); }
