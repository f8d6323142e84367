/* Does what it reads, a word a line, and has SIGSEGV and SIGABRT as its argument says:
   default, handled or ignored. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int* volatile nowhere;

static void say(const char* text) {
  if (write(1, text, strlen(text)) < 0) _exit(1);
}

static void handle(int signal) {
  (void)signal;
  say("handled\n");
  _exit(0);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "handled") == 0) {
    signal(SIGSEGV, handle);
    signal(SIGABRT, handle);
  }
  if (argc > 1 && strcmp(argv[1], "ignored") == 0) {
    signal(SIGSEGV, SIG_IGN);
    signal(SIGABRT, SIG_IGN);
  }
  say("ready\n");
  char word[16];
  for (ssize_t size; (size = read(0, word, sizeof(word) - 1)) > 0;) {
    word[size] = '\0';
    if (strcmp(word, "say\n") == 0) say("said\n");
    if (strcmp(word, "fault\n") == 0) *nowhere = 0;
    if (strcmp(word, "child\n") == 0) {
      const pid_t child = fork();
      if (child == 0) abort();
      if (waitpid(child, NULL, 0) != child) return 1;
    }
  }
  return 0;
}
