// A list of arrays, of which only the field that it is says what their elements are. They are in a
// pool, or malloc's; some have room for more, in memory that holds what was there before.
#include "programs/pool_allocator.h"

#define ROOM 4
#define COUNT 10

struct part {
  void* elements;
  unsigned long count;
  struct part* next;
};
struct list {
  struct part* last;
  struct part part;
  size_t size;
  unsigned long room;
  struct pool* pool;
};
struct message {
  struct list headers, trailers, numbers;
  struct header* longest;
};

static struct pool* pool;
static struct message* message;
static int count;

static void* allocate(struct pool* from, size_t size) {
  return from == NULL ? malloc(size) : pool_allocate(from, size);
}

// What was in the memory before looks like pointers to what is of another type now.
static void* new_elements(const struct list* list) {
  const size_t size = list->room * list->size;
  char* elements = allocate(list->pool, size);
  void* const inside = (char*)message + 3;
  for (size_t at = 0; list != &message->numbers && at + sizeof inside <= size;
       at += sizeof inside) {
    memcpy(elements + at, &inside, sizeof inside);
  }
  return elements;
}

static void list_init(struct list* list, struct pool* from, size_t size) {
  list->pool = from;
  list->size = size;
  list->room = ROOM;
  list->last = &list->part;
  list->part = (struct part){new_elements(list), 0, NULL};
}

static void* list_push(struct list* list) {
  struct part* last = list->last;
  if (last->count == list->room) {
    last = allocate(list->pool, sizeof *last);
    *last = (struct part){new_elements(list), 0, NULL};
    list->last->next = last;
    list->last = last;
  }
  return (char*)last->elements + list->size * last->count++;
}

static void add(struct list* list, int id) {
  struct header* header = list_push(list);
  memset(header, 0, sizeof *header);
  header->id = id;
  header->owner = message;
  if (list == &message->headers) message->longest = header;
}

static void add_all(void) {
  for (const int end = count + COUNT; count < end; ++count) {
    add(&message->headers, count);
    add(&message->trailers, -count);
    *(long*)list_push(&message->numbers) = count * 3L;
  }
}

void pair_start(void) {}

void pair_state(void) {
  pool = pool_create();
  message = calloc(1, sizeof *message);
  list_init(&message->headers, pool, sizeof(struct header));
  list_init(&message->trailers, NULL, sizeof(struct header));
  list_init(&message->numbers, pool, sizeof(long));
  add_all();
}

static int is_right(const struct list* list, int sign) {
  int id = 0;
  for (const struct part* part = &list->part; part != NULL; part = part->next) {
    const struct header* headers = part->elements;
    for (unsigned long i = 0; i < part->count; ++i, ++id) {
      if (headers[i].id != sign * id || headers[i].owner != message) return 0;
    }
  }
  return id == count && list->size == sizeof(struct header);
}

const char* pair_check(void) {
  EXPECT(is_right(&message->headers, 1) && is_right(&message->trailers, -1));
  EXPECT(message->longest->id == count - 1);
  add_all();  // there is as much room as before, and it is this list's alone
  EXPECT(is_right(&message->headers, 1) && is_right(&message->trailers, -1));
  long id = 0;
  for (const struct part* part = &message->numbers.part; part != NULL; part = part->next) {
    const long* numbers = part->elements;
    for (unsigned long i = 0; i < part->count; ++i, ++id) EXPECT(numbers[i] == 3 * id);
  }
  EXPECT(id == count && message->numbers.size == sizeof(long));
  return NULL;
}

void pair_end(void) {
  for (struct part *part = &message->trailers.part, *next; part != NULL; part = next) {
    next = part->next;
    free(part->elements);
    if (part != &message->trailers.part) free(part);
  }
  pool_destroy(pool);
  free(message);
}
