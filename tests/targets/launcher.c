// Has a child that goes on in this program and one that executes cat(1). Prints "ready"; a line on
// standard input makes the first child execute cat, too, and prints "launched".
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void Launch(int input) {
  dup2(input, 0);
  execl("/bin/cat", "cat", (char*)NULL);
  _exit(1);
}

int main(void) {
  int silence[2], command[2], done[2];  // nothing is ever written to the first
  char byte;
  if (pipe(silence) != 0 || pipe(command) != 0 || pipe2(done, O_CLOEXEC) != 0) return 1;
  if (fork() == 0) {
    close(done[0]);
    if (read(command[0], &byte, 1) == 1) Launch(silence[0]);
    _exit(1);
  }
  int executed[2];
  if (pipe2(executed, O_CLOEXEC) != 0) return 1;
  if (fork() == 0) Launch(silence[0]);
  close(executed[1]);
  if (read(executed[0], &byte, 1) != 0) return 1;
  close(done[1]);
  puts("ready");
  fflush(stdout);
  if (read(0, &byte, 1) != 1 || write(command[1], &byte, 1) != 1) return 1;
  if (read(done[0], &byte, 1) != 0) return 1;  // closed by the child's execve
  puts("launched");
  fflush(stdout);
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}
