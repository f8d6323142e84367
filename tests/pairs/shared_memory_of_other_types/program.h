// A list in memory that processes share, to which nothing but a `void *` leads, and a list of
// something else in allocated memory, which is of the same kind and size in the old version.
#include <stdlib.h>
#include <sys/mman.h>

#include "pair.h"

struct entry {
  struct entry* next;
  struct entry* first;
  long number;
};

#define SIZE 4096
#define COUNT 4
static void* shared;
static struct job* jobs;

void pair_start(void) {
  shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) abort();
}

static void add_job(long id) {
  struct job* job = calloc(1, sizeof *job);
  job->next = jobs;
  job->first = jobs == NULL ? job : jobs->first;
  job->id = id;
  jobs = job;
}

void pair_state(void) {
  struct entry* entries = shared;
  for (int i = 0; i < COUNT; ++i) {
    entries[i].next = i + 1 < COUNT ? &entries[i + 1] : NULL;
    entries[i].first = &entries[0];
    entries[i].number = 100 + i;
    add_job(i);
  }
}

static const char* check_entries(void) {
  int i = 0;
  for (const struct entry* entry = shared; entry != NULL; entry = entry->next, ++i) {
    EXPECT(entry->first == shared && entry->number == 100 + i);
  }
  EXPECT(i == COUNT);
  return NULL;
}

static const char* check_jobs(void) {
  long id = COUNT;
  for (const struct job* job = jobs; job != NULL; job = job->next) {
    EXPECT(job->id == --id && job->first == jobs->first);
    EXPECT(job->next != NULL || job->first == job);
    EXPECT(NEW_FIELDS_ARE_RIGHT(job));
  }
  EXPECT(id == 0);
  return NULL;
}

const char* pair_check(void) {
  const char* wrong = check_entries();
  return wrong != NULL ? wrong : check_jobs();
}

void pair_end(void) {
  for (struct job *job = jobs, *next; job != NULL; job = next) {
    next = job->next;
    free(job);
  }
  munmap(shared, SIZE);
}
