// Two threads wait for jobs on a condition variable; their mutex and it are in the program's data.
#include <pthread.h>
#include <stdlib.h>

#include "pair.h"

#define WORKERS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t posted = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;  // locked through the update
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_t workers[WORKERS];
static struct job* queue;
static int done, ending;
static __thread int done_here = 100;
static int* done_by[WORKERS];

__attribute__((noinline)) static void run(const struct job* job) {
  done += job->weight * pair_version();
  ++done_here;
}

__attribute__((noinline)) static void wait_for_job(void) { pthread_cond_wait(&posted, &mutex); }

static void* work(void* index) {
  pthread_mutex_lock(&mutex);
  *(int**)index = &done_here;
  pthread_cond_broadcast(&finished);
  while (!ending) {
    if (queue == NULL) {
      wait_for_job();
      continue;
    }
    struct job* job = queue;
    queue = job->next;
    run(job);
    free(job);
    pthread_cond_broadcast(&finished);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static void post(int weight) {
  struct job* job = calloc(1, sizeof *job);
  job->weight = weight;
  job->next = queue;
  queue = job;
  pthread_cond_signal(&posted);
}

static int run_all(int count) {
  pthread_mutex_lock(&mutex);
  done = 0;
  for (int i = 0; i < count; ++i) post(1);
  while (done < count * pair_version()) pthread_cond_wait(&finished, &mutex);
  int result = done;
  pthread_mutex_unlock(&mutex);
  return result;
}

void pair_start(void) {
  for (int i = 0; i < WORKERS; ++i) pthread_create(&workers[i], NULL, work, &done_by[i]);
  pthread_mutex_lock(&mutex);
  while (done_by[0] == NULL || done_by[1] == NULL) pthread_cond_wait(&finished, &mutex);
  pthread_mutex_unlock(&mutex);
}

void pair_state(void) {
  run_all(10);
  pthread_mutex_lock(&held);
  pthread_rwlock_rdlock(&shared);
}

const char* pair_check(void) {
  EXPECT(pthread_mutex_trylock(&held) != 0);
  EXPECT(pthread_mutex_unlock(&held) == 0 && pthread_mutex_lock(&held) == 0);
  EXPECT(pthread_rwlock_trywrlock(&shared) != 0);
  int before = *done_by[0] + *done_by[1];
  EXPECT(before >= 210);
  EXPECT(run_all(5) == 5 * pair_version());
  EXPECT(*done_by[0] + *done_by[1] == before + 5);
  return NULL;
}

void pair_end(void) {
  pthread_mutex_lock(&mutex);
  ending = 1;
  pthread_cond_broadcast(&posted);
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < WORKERS; ++i) pthread_join(workers[i], NULL);
}
