// Two versions of a program whose functions are active while it waits.
#include <stdio.h>
#include <unistd.h>

struct state {
  long served;
  long limit;
};

long total;
struct state* published;

__attribute__((noinline)) void wait_for_work(int descriptor) {
  char byte;
  if (read(descriptor, &byte, 1) < 0) total = -1;
}

// Never left. Its frame grows: there is more to keep across the call.
__attribute__((noinline)) void serve(int descriptor, long step) {
  struct state state = {0, 10};
  published = &state;
#ifdef V2
  char line[64];
  long printed = descriptor + 7;
#endif
  for (;;) {
    wait_for_work(descriptor);
    state.served += step;
    total += state.served;
#ifdef V2
    printed += step;
    snprintf(line, sizeof line, "%ld of %ld", printed, state.limit);
    puts(line);
#endif
  }
}

// The call moves to another function.
__attribute__((noinline)) long serve_once(int descriptor) {
#ifdef V2
  puts("once");
#else
  wait_for_work(descriptor);
#endif
  return total + descriptor;
}

// Two calls become one: which of them stays is not clear.
__attribute__((noinline)) long serve_twice(int descriptor) {
  wait_for_work(descriptor);
#ifndef V2
  wait_for_work(descriptor);
#endif
  return total * descriptor;
}

// A register more to save, and back again.
__attribute__((noinline)) long serve_counted(int descriptor, long count) {
  long sum = 0;
  for (long i = 0; i < count; ++i) {
    wait_for_work(descriptor);
#ifdef V2
    sum += i;
#endif
    sum += total;
  }
  return sum;
}

int main(int argc, char** argv) {
  (void)argv;
  total = serve_once(argc) + serve_twice(argc) + serve_counted(argc, argc);
  serve(argc, 3);
}
