// What is in memory that processes share might be of a type that changes, as far as its bytes say.
// An annotation names a function to which such memory has a pointer.
struct job {
  struct job* next;
  struct job* first;
  long id;
};

#define NEW_FIELDS_ARE_RIGHT(job) 1

#include "programs/shared_list_and_jobs.h"

int compare_jobs(const struct job* one, const struct job* other) {
  return (int)(one->id - other->id);
}

int pair_version(void) { return 1; }
