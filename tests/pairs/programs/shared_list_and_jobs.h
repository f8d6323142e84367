// A list in memory that processes share, to which nothing but a `void *` leads, and a list of
// something else in allocated memory, which is of the same kind and size in the old version.
struct entry {
  struct entry* next;
  struct entry* first;
  long number;
};

#include "programs/shared_list.h"

static struct job* jobs;

static void add_job(long id) {
  struct job* job = calloc(1, sizeof *job);
  job->next = jobs;
  job->first = jobs == NULL ? job : jobs->first;
  job->id = id;
  jobs = job;
}

void pair_state(void) {
  fill_entries();
  for (int i = 0; i < COUNT; ++i) add_job(i);
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
