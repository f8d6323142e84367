// Ginseng's unsafe moment: a function that works on the old representation is active. It is not at
// a quiescent point, so that mcr waits for it, and gives up.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

static struct T t = {.x = 1, .y = 2};
static pthread_t worker;
static int orders[2], progress[2], begun[2];
static int sum;

__attribute__((noinline)) static int wait_for(int descriptor) {
  char byte;
  return read(descriptor, &byte, 1) == 1;
}

__attribute__((noinline)) static void use(struct T* t) {
  int x = t->x;
  if (write(begun[1], "b", 1) != 1) abort();
  wait_for(progress[0]);  // meanwhile, t has to stay what it is
  sum = x + t->y;
}

__attribute__((noinline)) static int wait_for_order(void) {
  char byte;
  return read(orders[0], &byte, 1) == 1;
}

static void* work(void* unused) {
  while (wait_for_order()) use(&t);
  return unused;
}

void pair_start(void) {
  if (pipe(orders) != 0 || pipe(progress) != 0 || pipe(begun) != 0) abort();
  pthread_create(&worker, NULL, work, NULL);
}

void pair_state(void) {
  if (write(orders[1], "o", 1) != 1 || !wait_for(begun[0])) abort();
}

const char* pair_check(void) {
  EXPECT(t.x == 1 && t.y == 2 && sum == 0);
  return NULL;
}

void pair_end(void) {
  if (write(progress[1], "p", 1) != 1) exit(9);
  close(orders[1]);
  pthread_join(worker, NULL);
  if (sum != 3) exit(9);
}
