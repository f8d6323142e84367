// Circular doubly linked lists through members of the elements, as the kernel has them.
#include <stddef.h>
#include <stdlib.h>

#include "pair.h"

#define container_of(pointer, type, member) ((type*)((char*)(pointer) - offsetof(type, member)))
#define COUNT 20

struct link all = {&all, &all};
struct link busy = {&busy, &busy};

static void insert_before(struct link* at, struct link* link) {
  link->previous = at->previous;
  link->next = at;
  at->previous->next = link;
  at->previous = link;
}

static void take_out(struct link* link) {
  link->previous->next = link->next;
  link->next->previous = link->previous;
}

static void add(int id) {
  struct connection* connection = calloc(1, sizeof *connection);
  connection->id = id;
  insert_before(&all, &connection->in_all);
  if (id % 3 == 0) insert_before(&busy, &connection->in_busy);
}

void pair_start(void) {
  for (int i = 0; i < COUNT / 2; ++i) add(i);
}

void pair_state(void) {
  for (int i = COUNT / 2; i < COUNT; ++i) add(i);
}

const char* pair_check(void) {
  int id = 0;
  for (struct link* link = all.next; link != &all; link = link->next) {
    EXPECT(container_of(link, struct connection, in_all)->id == id++);
    EXPECT(link->next->previous == link && link->previous->next == link);
  }
  EXPECT(id == COUNT);
  id = 0;
  for (struct link* link = busy.next; link != &busy; link = link->next, id += 3) {
    EXPECT(container_of(link, struct connection, in_busy)->id == id);
    EXPECT(link->next->previous == link && link->previous->next == link);
  }
  EXPECT(id == 21);
  return NULL;
}

void pair_end(void) {
  while (all.next != &all) {
    struct connection* connection = container_of(all.next, struct connection, in_all);
    take_out(&connection->in_all);
    if (connection->id % 3 == 0) take_out(&connection->in_busy);
    free(connection);
  }
}
