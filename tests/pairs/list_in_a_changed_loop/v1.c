// A list that only a local variable of the loop points to.
#include <stdlib.h>

#include "pair.h"

#define COUNT 100

struct item {
  struct item* next;
  int value;
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
    EXPECT(item->value == count);
    end = &item->next;
  }
  EXPECT(count == COUNT && list->length == COUNT);
  EXPECT(list->tail == end);
  return NULL;
}

static const char* volatile wrong;

int main(int argc, char** argv) {
  int commands = pair_begin(argc, argv);
  struct item* first = NULL;
  struct list list = {&first, 0};
  current = &list;
  for (;;) {
    pair_serve(commands);
    take_spare(&list);
    if (first != NULL) wrong = check_list(first, &list);
  }
}

int pair_version(void) { return 1; }
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
  EXPECT(current != NULL && wrong == NULL);
  return NULL;
}

void pair_end(void) {}
