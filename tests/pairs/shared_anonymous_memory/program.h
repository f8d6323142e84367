// Memory that two processes share, with pointers into itself, to functions and to variables.
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pair.h"

struct cell {
  struct cell* next;
  int (*function)(int);
  int* base;
  int value;
};
struct shared {
  struct cell* head;
  struct cell cells[16];
};
static struct shared* shared;
static int base = 1000;
static int to_child[2], from_child[2];
static pid_t child;

static int plain(int value) { return value + pair_version(); }
static int negated(int value) { return -value - pair_version(); }

static int sum(void) {
  int result = 0;
  for (const struct cell* cell = shared->head; cell != NULL; cell = cell->next) {
    result += cell->function(cell->value) + *cell->base;
  }
  return result;
}

static void serve(void) {
  char request;
  while (read(to_child[0], &request, 1) == 1) {
    int result = sum();
    if (write(from_child[1], &result, sizeof result) != sizeof result) break;
  }
  _exit(0);
}

static void add(int index, int value, int (*function)(int)) {
  shared->cells[index] = (struct cell){shared->head, function, &base, value};
  shared->head = &shared->cells[index];
}

void pair_start(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  add(0, 1, plain);
  if (pipe(to_child) != 0 || pipe(from_child) != 0) abort();
  child = fork();
  if (child == 0) {
    close(to_child[1]);
    serve();
  }
}

void pair_state(void) {
  add(3, 20, negated);
  add(7, 300, plain);
}

const char* pair_check(void) {
  int wanted = 1 - 20 + 300 + pair_version() + 3000;
  EXPECT(shared->head == &shared->cells[7] && shared->head->next == &shared->cells[3]);
  EXPECT(sum() == wanted);
  int answer = 0;
  EXPECT(write(to_child[1], "?", 1) == 1);
  EXPECT(read(from_child[0], &answer, sizeof answer) == sizeof answer);
  EXPECT(answer == wanted);
  return NULL;
}

void pair_end(void) {
  close(to_child[1]);
  int status;
  if (waitpid(child, &status, 0) != child || status != 0) exit(9);
}
