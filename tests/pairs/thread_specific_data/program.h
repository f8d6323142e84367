// Values by key of a thread, and the function that disposes of them.
#include <pthread.h>
#include <stdlib.h>

#include "pair.h"

struct context {
  int id;
};
static pthread_key_t keys[2];
static struct context fixed = {7};
static int disposed;

static void dispose(void* context) {
  disposed += pair_version() * ((struct context*)context)->id;
  free(context);
}

static void* thread(void* unused) {
  struct context* context = malloc(sizeof *context);
  context->id = 10;
  pthread_setspecific(keys[0], context);
  return unused;
}

void pair_start(void) {
  pthread_key_create(&keys[0], dispose);
  pthread_key_create(&keys[1], NULL);
  pthread_setspecific(keys[1], &fixed);
}

void pair_state(void) {
  struct context* context = malloc(sizeof *context);
  context->id = 5;
  pthread_setspecific(keys[0], context);
  fixed.id = 8;
}

const char* pair_check(void) {
  EXPECT(pthread_getspecific(keys[1]) == &fixed && fixed.id == 8);
  EXPECT(((struct context*)pthread_getspecific(keys[0]))->id == 5);
  pthread_t other;
  disposed = 0;
  EXPECT(pthread_create(&other, NULL, thread, NULL) == 0);
  EXPECT(pthread_join(other, NULL) == 0);
  EXPECT(disposed == 10 * pair_version());
  return NULL;
}

void pair_end(void) { free(pthread_getspecific(keys[0])); }
