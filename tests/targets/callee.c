// Prints the address of a function that may be called from outside, and then checks, line by line,
// that its vector registers and its data have not been disturbed.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile double scale = 3;

__attribute__((noinline, used)) static long Triple(long value) { return (long)(value * scale); }

__attribute__((noinline)) static long ReadKeepingVectors(char* byte, unsigned long* after) {
  long result;
  __asm__ volatile("movq %[pattern], %%xmm5\n\tsyscall\n\tmovq %%xmm5, %[after]"
                   : "=a"(result), [after] "=r"(*after)
                   : "0"(0L), "D"(0L), "S"(byte), "d"(1L), [pattern] "r"(0x5ca1ab1edecaf000UL)
                   : "rcx", "r11", "xmm5", "memory");
  return result;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%lu\n", (unsigned long)&Triple);
  char byte;
  unsigned long after;
  while (ReadKeepingVectors(&byte, &after) == 1) {
    printf("%c %s\n", byte, after == 0x5ca1ab1edecaf000UL ? "undisturbed" : "disturbed");
  }
  return 0;
}
