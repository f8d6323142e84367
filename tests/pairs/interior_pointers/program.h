// Pointers into the middle of objects: to members, array elements, and one past the end.
#include <stdlib.h>

#include "pair.h"

#define SIZE 6

struct buffer buffer;
static struct buffer* heap;
static struct buffer* array;  // of three

static int* to_member;
static int* to_element;
static struct slot* to_slot;
static int* to_heap_member;
static struct slot* slot_begin;
static struct slot* slot_end;
static struct buffer* second;
static int* in_third;

static void point(void) {
  to_member = &buffer.size;
  to_element = &buffer.numbers[4];
  to_slot = &buffer.slots[1];
  to_heap_member = &heap->slots[2].length;
  slot_begin = &heap->slots[0];
  slot_end = &heap->slots[3];
  second = &array[1];
  in_third = &array[2].numbers[0];
}

void pair_start(void) {
  heap = calloc(1, sizeof *heap);
  array = calloc(3, sizeof *array);
}

void pair_state(void) {
  buffer.size = 1;
  for (int i = 0; i < SIZE; ++i) buffer.numbers[i] = 10 + i;
  buffer.slots[1].length = 21;
  heap->slots[2].length = 32;
  array[1].size = 41;
  array[2].numbers[0] = 52;
  buffer.cursor = &buffer.numbers[2];
  heap->cursor = &heap->numbers[5];
  point();
}

const char* pair_check(void) {
  EXPECT(to_member == &buffer.size && *to_member == 1);
  EXPECT(to_element == &buffer.numbers[4] && *to_element == 14);
  EXPECT(to_slot == &buffer.slots[1] && to_slot->length == 21);
  EXPECT(to_heap_member == &heap->slots[2].length && *to_heap_member == 32);
  EXPECT(slot_begin == heap->slots && slot_end - slot_begin == 3);
  EXPECT(second == &array[1] && second->size == 41);
  EXPECT(in_third == &array[2].numbers[0] && *in_third == 52);
  EXPECT(buffer.cursor == &buffer.numbers[2] && *buffer.cursor == 12);
  EXPECT(heap->cursor == &heap->numbers[5] && *heap->cursor == 0);
  return NULL;
}

void pair_end(void) {
  free(heap);
  free(array);
}
