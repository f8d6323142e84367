// The items are larger, and the loop does more.
#include <stdlib.h>

#include "pair.h"

#define COUNT 100

struct item {
  long long serial[4];
  int value;
  struct item* next;
};
struct list {
  struct item** tail;
  int length;
};

static struct list* current;  // on the stack of main()
static struct item* spare;    // what pair_state() made, until the loop takes it

__attribute__((noinline)) static void take_spare(struct list* list) {
  for (; spare != NULL; ++list->length) {
    struct item* item = spare;
    spare = item->next;
    item->next = NULL;
    *list->tail = item;
    list->tail = &item->next;
  }
}

__attribute__((noinline)) static const char* check_list(const struct item* first, const struct list* list) {
  int count = 0;
  struct item* const* end = &first->next;
  for (const struct item* item = first; item != NULL; item = item->next, ++count) {
    EXPECT(item->value == count && item->serial[3] == 0);
    end = &item->next;
  }
  EXPECT(count == COUNT && list->length == COUNT);
  EXPECT(list->tail == end);
  return NULL;
}

static const char* volatile wrong;
static volatile long rounds;

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  struct item* first = NULL;
  struct list list = {&first, 0};
  current = &list;
  for (;;) {
    ++rounds;
    pair_serve(commands);
    take_spare(&list);
    if (first != NULL) wrong = check_list(first, &list);
    if (rounds > 1000000) break;
  }
  return 1;
}

int pair_version(void) { return 2; }
void pair_start(void) {}

void pair_state(void) {
  for (int i = COUNT; i-- > 0;) {
    struct item* item = malloc(sizeof *item);
    item->next = spare;
    item->value = i;
    spare = item;
  }
}

const char* pair_check(void) {
  EXPECT(wrong == NULL && current->length == COUNT);
  return NULL;
}

void pair_end(void) {}
