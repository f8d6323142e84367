// Start-up computes a table from the layout of a type: offsets, a size, functions. What is made
// later points into it.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

struct rule {
  size_t offset;
  long (*get)(const struct request*, size_t offset);
};
struct table {
  TABLE_VERSION
  size_t sizes[2];
  size_t size;     // of what the rules are for
  unsigned limit;  // which the server changes
  unsigned count;
  struct rule* rules;
};
struct job {
  struct request* request;
  const struct rule* rule;
  struct job* next;
};

static struct table* table;
static size_t* script;  // offsets alone, and a mark at the end
static struct job* jobs;

static void add(int i) {
  struct request* request = calloc(1, table->size);
  request->id = i;
  request->bytes = 1000L + i;
  struct job* job = malloc(sizeof *job);
  job->request = request;
  job->rule = &table->rules[i % 2];
  job->next = jobs;
  jobs = job;
}

void pair_start(void) {
  table = malloc(sizeof *table);
  table->sizes[0] = sizeof(int);
  table->sizes[1] = table->size = sizeof(struct request);
  table->limit = LIMIT;
  table->count = 2;
  table->rules = malloc(table->count * sizeof *table->rules);
  table->rules[0] = (struct rule){offsetof(struct request, id), GET_ID};
  table->rules[1] = (struct rule){offsetof(struct request, bytes), GET_BYTES};
  script = malloc(3 * sizeof *script);
  script[0] = offsetof(struct request, bytes);
  script[1] = offsetof(struct request, id);
  script[2] = ~(size_t)0;
}

void pair_state(void) {
  for (int i = 0; i < 10; ++i) add(i);
  table->limit = 15;
}

const char* pair_check(void) {
  EXPECT(table->size == sizeof(struct request) && table->count == 2);
  EXPECT(table->limit == (jobs == NULL ? LIMIT : 15));
  EXPECT(table->sizes[0] == sizeof(int) && table->sizes[1] == sizeof(struct request));
  EXPECT(script[0] == offsetof(struct request, bytes) && script[1] == offsetof(struct request, id));
  EXPECT(script[2] == ~(size_t)0);
  int i = 10;
  for (const struct job* job = jobs; job != NULL; job = job->next) {
    --i;
    EXPECT(job->rule == &table->rules[i % 2]);
    EXPECT(job->rule->get(job->request, job->rule->offset) == (i % 2 ? 1000 + i : i));
    EXPECT(*(const int*)((const char*)job->request + script[1]) == i);
  }
  EXPECT(jobs == NULL || i == 0);
  return NULL;
}

void pair_end(void) {
  for (struct job *job = jobs, *next; job != NULL; job = next) {
    next = job->next;
    free(job->request);
    free(job);
  }
  free(table->rules);
  free(table);
  free(script);
}
