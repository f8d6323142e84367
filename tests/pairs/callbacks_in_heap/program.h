// Heap objects that hold functions, and pointers to the objects that these work on.
#include <stdlib.h>

#include "pair.h"

struct account {
  int balance;
};

int add(struct account* account, int amount) { return account->balance += amount; }
int take(struct account* account, int amount) { return account->balance -= amount; }
// Not seen by the linker: only debug information knows its name.
static int set(struct account* account, int amount) { return account->balance = amount; }

static struct account account = {100};
static struct operation* operations[3];

static struct operation* make(int (*function)(struct account*, int), struct account* account) {
  struct operation* operation = calloc(1, sizeof *operation);
  operation->function = function;
  operation->account = account;
  return operation;
}

void pair_start(void) { operations[0] = make(add, &account); }

void pair_state(void) {
  operations[1] = make(take, &account);
  operations[2] = make(set, malloc(sizeof(struct account)));
  account.balance = 200;
}

static int run(const struct operation* operation, int amount) {
  return operation->function(operation->account, amount);
}

const char* pair_check(void) {
  EXPECT(operations[0]->function == add && operations[1]->function == take);
  EXPECT(operations[2]->function == set && operations[0]->account == &account);
  EXPECT(run(operations[0], 5) == 205);
  EXPECT(run(operations[1], 5) == 200);
  EXPECT(run(operations[2], 7) == 7 && operations[2]->account->balance == 7);
  return NULL;
}

void pair_end(void) {
  free(operations[2]->account);
  for (int i = 0; i < 3; ++i) free(operations[i]);
}
