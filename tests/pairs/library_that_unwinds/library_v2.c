#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>

#include "part.h"

static int cleaned_up;

int part_version(void) { return 2; }

static int count(int deeper) {
  void* active[64];
  int found = deeper > 0 ? count(deeper - 1) : backtrace(active, 64);
  return found + (deeper < 0);
}

int part_depth(void) { return count(3); }

static void clean_up(void* by) { cleaned_up += (int)(intptr_t)by; }

static void end(void* answer) {
  pthread_cleanup_push(clean_up, (void*)1);
  pthread_exit((void*)((intptr_t)answer + 2));
  pthread_cleanup_pop(0);
}

void* part_end_thread(void* answer) {
  pthread_cleanup_push(clean_up, (void*)1);
  end(answer);
  pthread_cleanup_pop(0);
  return NULL;
}

int part_cleaned_up(void) { return cleaned_up; }
