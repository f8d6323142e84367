// Allocates blocks of many sizes in two arenas, frees some, and says what became of each.
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { kBlocks = 3000 };

struct block {
  char* at;
  size_t size;
  int is_free;
};
static struct block blocks[2][kBlocks];
static pthread_barrier_t barrier;

// Nothing is allocated once something is free: it would be given out again.
static void AllocateAndFree(struct block* mine) {
  for (int i = 0; i < kBlocks; ++i) {
    size_t wanted = 1 + (size_t)i * 7919 % 1500;
    if (i % 500 == 3) wanted = 200000 + (size_t)i;  // with a mapping of its own
    mine[i].at = i % 40 == 1 ? aligned_alloc(256, 256) : malloc(wanted);
    mine[i].size = malloc_usable_size(mine[i].at);
  }
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kBlocks; ++i) {
    mine[i].is_free = i % 3 == 0 || i % 7 == 1;
    if (mine[i].is_free) free(mine[i].at);
  }
  pthread_barrier_wait(&barrier);
}

static void* Thread(void* unused) {
  AllocateAndFree(blocks[1]);
  pause();
  return unused;
}

int main(void) {
  static char buffer[4096];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_t thread;
  pthread_create(&thread, NULL, Thread, NULL);
  AllocateAndFree(blocks[0]);
  for (int i = 0; i < 2 * kBlocks; ++i) {
    const struct block* block = &blocks[0][0] + i;
    printf("%lu %zu %d\n", (unsigned long)block->at, block->size, block->is_free);
  }
  fflush(stdout);
  pause();
}
