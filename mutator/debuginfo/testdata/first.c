#include <stdio.h>
#include <stdlib.h>

#include "mutator/debuginfo/testdata/shapes.h"

extern char **environ;

#ifdef V2
int new_global = 3;  // moves everything behind it
__attribute__((noinline, used)) int new_function(int a) { return a * 3 + new_global; }
#endif

node_t *list;
struct record table[4];
struct unchanged unchanged_global;
static int counter = 1;
static const char kDigits[] = "0123456789abcdef";
__thread int per_thread = 7;
struct {
  int count;
  int elements[];
} flexible = {3, {1, 2, 3}};

__attribute__((noinline)) int next_id(void) {
  static int id = 100;
  return id++ + counter;
}

__attribute__((noinline)) static void handle(int value) { printf("%d\n", value); }

__attribute__((noinline)) int two_locals(int which) {
  if (which) {
    static int local = 1;
    return ++local;
  }
  static int local = 2;
  return --local;
}

// A self-relative jump table, calls, strings.
__attribute__((noinline)) int jumps(int which, int *out) {
  switch (which) {
    case 0: *out = next_id(); return puts("zero");
    case 1: *out += 3; return two_locals(which);
    case 2: *out ^= 5; return printf("%s\n", kDigits);
    case 3: *out <<= 7; return getchar();
    case 4: *out = -*out; return next_id() + 1;
    case 5: *out = 12; return rand();
    case 6: *out = 77 * counter; return 6;
    default: return ++counter;
  }
}

__attribute__((noinline)) double scales(double x) { return x * 2.75 + 0.125; }

__attribute__((noinline)) int changes_number(int x) {
#ifdef V2
  return x / 10;
#else
  return x / 7;
#endif
}

__attribute__((noinline)) int calls_another(int x) {
#ifdef V2
  return two_locals(x) + x;
#else
  return sum(list) + x;
#endif
}

__attribute__((noinline)) int says_another_text(void) {
#ifdef V2
  return puts("version two");
#else
  return puts("version one");
#endif
}

__attribute__((noinline)) int reads_field(const struct record *record) { return record->color; }

__attribute__((noinline)) int loops(int n) {
  int total = 0;
  for (int i = 0; i < 4; ++i) total += sum(list) + table[i].color + n;
  while (total > 1000) total -= next_id();
  return total;
}

int main(int argc, char **argv) {
  table[0].handler = handle;
  int out = argc;
  per_thread += argc;
  int result = jumps(argc, &out) + (int)scales(argc) + changes_number(argc) + calls_another(argc) +
               says_another_text() + reads_field(table) + loops(argc) + flexible.elements[0] +
               (unchanged_global.self != 0) + (environ[0] == argv[0]);
  table[0].handler(result + out);
  return result == -1;
}
