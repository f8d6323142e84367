// Thread-local variables of several threads, with pointers to them; the type of one changes, so
// that those of the C library have to make room.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "pair.h"

#define WORKERS 2

static __thread struct progress progress = FRESH;
static __thread int* own;  // into progress
static int* of[WORKERS];       // the same, in the program's data
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static pthread_t workers[WORKERS];
static int ready, rounds, answers, ending;
static const char* wrong;

__attribute__((noinline)) static void prepare(int index) {
  progress.done = 100 + index;
  own = &progress.done;
  of[index] = &progress.done;
  ++ready;
}

__attribute__((noinline)) static const char* look(int index) {
  EXPECT(own == &progress.done && of[index] == own);
  EXPECT(*own == 100 + index + rounds - 1);
  EXPECT(close(-1) != 0 && errno == EBADF);
  return check_own(&progress);
}

__attribute__((noinline)) static void answer(int index) {
  const char* found = look(index);
  if (found) wrong = found;
  ++*own;
  ++answers;
}

static void* work(void* argument) {
  int index = (int)(long)argument;
  pthread_mutex_lock(&mutex);
  prepare(index);
  pthread_cond_broadcast(&finished);
  for (int seen = 0; !ending;) {
    if (seen == rounds) {
      pthread_cond_wait(&posted, &mutex);
      continue;
    }
    seen = rounds;
    answer(index);
    pthread_cond_broadcast(&finished);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void* be_new(void* unused) {
  (void)unused;
  struct progress fresh = FRESH;
  return progress.done == fresh.done && own == NULL && check_own(&progress) == NULL ? "" : NULL;
}

static const char* ask_all(void) {
  pthread_mutex_lock(&mutex);
  answers = 0;
  ++rounds;
  pthread_cond_broadcast(&posted);
  while (answers < WORKERS) pthread_cond_wait(&finished, &mutex);
  pthread_mutex_unlock(&mutex);
  return wrong;
}

void pair_start(void) {
  for (long i = 0; i < WORKERS; ++i) pthread_create(&workers[i], NULL, work, (void*)i);
  pthread_mutex_lock(&mutex);
  while (ready < WORKERS) pthread_cond_wait(&finished, &mutex);
  pthread_mutex_unlock(&mutex);
  progress.done = 7;
}

void pair_state(void) { progress.done = 8; }

const char* pair_check(void) {
  EXPECT(progress.done == 8 && own == NULL);
  if (ask_all()) return wrong;
  EXPECT(*of[0] == 100 + rounds && *of[1] == 101 + rounds);
  pthread_t thread;
  void* result;
  EXPECT(pthread_create(&thread, NULL, be_new, NULL) == 0);
  EXPECT(pthread_join(thread, &result) == 0 && result != NULL);
  return NULL;
}

void pair_end(void) {
  pthread_mutex_lock(&mutex);
  ending = 1;
  pthread_cond_broadcast(&posted);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < WORKERS; ++i) pthread_join(workers[i], NULL);
}
