// A list through members of the elements, of which another type has one at the same place: only an
// annotation says what is listed.
#include <stddef.h>
#include <stdlib.h>

#include "pair.h"

#define container_of(pointer, type, member) ((type*)((char*)(pointer) - offsetof(type, member)))
#define COUNT 20

struct user {
  long id;
  struct link in_users;
};
struct lists {
  struct link jobs, done, users;
};
static struct lists lists = {
    {&lists.jobs, &lists.jobs}, {&lists.done, &lists.done}, {&lists.users, &lists.users}};

static void insert(struct link* head, struct link* link) {
  link->previous = head->previous;
  link->next = head;
  head->previous->next = link;
  head->previous = link;
}

static void add(int id) {
  struct job* job = calloc(1, sizeof *job);
  job->id = id;
  insert(id % 4 == 0 ? &lists.done : &lists.jobs, &job->in_list);
  struct user* user = calloc(1, sizeof *user);
  user->id = -id;
  insert(&lists.users, &user->in_users);
}

void pair_start(void) {
  for (int i = 0; i < 4; ++i) add(i);
}

void pair_state(void) {
  for (int i = 4; i < COUNT; ++i) add(i);
}

static long sum(const struct link* head) {
  long result = 0;
  for (const struct link* link = head->next; link != head; link = link->next) {
    if (link->next->previous != link) return -1;
    result += container_of(link, struct job, in_list)->id;
  }
  return result;
}

const char* pair_check(void) {
  EXPECT(sum(&lists.jobs) == 190 - 40);
  EXPECT(sum(&lists.done) == 40);
  int id = 0;
  for (struct link* link = lists.users.next; link != &lists.users; link = link->next) {
    EXPECT(container_of(link, struct user, in_users)->id == -id++);
  }
  EXPECT(id == COUNT);
  return NULL;
}

static void give_back(struct link* head, size_t offset) {
  for (struct link *link = head->next, *next; link != head; link = next) {
    next = link->next;
    free((char*)link - offset);
  }
}

void pair_end(void) {
  give_back(&lists.jobs, offsetof(struct job, in_list));
  give_back(&lists.done, offsetof(struct job, in_list));
  give_back(&lists.users, offsetof(struct user, in_users));
}
