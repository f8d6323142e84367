// A process that watches over another one, below a root: says "told" whenever it is told of that
// one's end, and "alive" when it is asked. Its first line is "ready" and the PID of the other one.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void tell(int signal) {
  (void)signal;
  if (write(STDOUT_FILENO, "told\n", 5) != 5) _exit(1);
}

static void watch(void) {
  struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  const pid_t watched = fork();
  while (watched == 0) pause();
  printf("ready %d\n", watched);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) == 1) printf("alive\n");
  exit(0);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (fork() == 0) watch();
  while (1) pause();
}
