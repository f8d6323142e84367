// Has 64 pages; prints where they are. Writes a byte to each page whose number it reads from its
// input, and says "done".
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGES 64
#define PAGE 4096

int main(void) {
  char* memory =
      mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
  memset(memory, 1, PAGES * PAGE);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%p\n", (void*)memory);
  for (int page; scanf("%d", &page) == 1;) {
    if (page < 0) {  // other memory in its place
      munmap(memory - page * PAGE, PAGE);
      mmap(memory - page * PAGE, PAGE, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    } else {
      ++memory[page * PAGE];
    }
    printf("done\n");
  }
  return 0;
}
