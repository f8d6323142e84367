// A file mapped into memory, with pointers into it, and changes that reach the file.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pair.h"

#define COUNT 1000

struct slot {
  int key;
  int value;
};
static struct slot* slots;
static int file;

void pair_start(void) {
  file = open("slots", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, COUNT * sizeof *slots) != 0) abort();
  slots = mmap(NULL, COUNT * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (slots == MAP_FAILED) abort();
}

void pair_state(void) {
  for (int i = 0; i < COUNT; ++i) slots[i] = (struct slot){i, i * i};
  place(&slots[500]);
}

const char* pair_check(void) {
  for (int i = 0; i < COUNT; ++i) EXPECT(slots[i].key == i && slots[i].value == i * i);
  EXPECT(placed() == &slots[500]);
  struct slot on_disk;
  EXPECT(pread(file, &on_disk, sizeof on_disk, 7 * sizeof on_disk) == sizeof on_disk);
  EXPECT(on_disk.key == 7 && on_disk.value == 49);
  slots[7].value = 8;
  EXPECT(pread(file, &on_disk, sizeof on_disk, 7 * sizeof on_disk) == sizeof on_disk);
  EXPECT(on_disk.value == 8);
  slots[7].value = 49;
  return NULL;
}

void pair_end(void) { munmap(slots, COUNT * sizeof *slots); }
