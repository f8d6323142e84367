struct job {
  long stamp;
  struct job* next;
  long id;
  struct job* first;
};

#define NEW_FIELDS_ARE_RIGHT(job) ((job)->stamp == 0)

#include "programs/shared_list_and_jobs.h"

int pair_version(void) { return 2; }
