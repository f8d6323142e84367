// What is in memory that processes share might be of a type that changes, as far as its bytes say;
// an annotation says that it is not.
struct job {
  struct job* next;
  struct job* first;
  long id;
};

#define NEW_FIELDS_ARE_RIGHT(job) 1

#include "programs/shared_list_and_jobs.h"

int pair_version(void) { return 1; }
