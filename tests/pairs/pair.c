// The program is started as:   PROGRAM FIFO
//
// Commands come from the FIFO, which it keeps open for writing, too, so that it never
// ends; in a rehearsal's file system it is another one, which stays empty. Answers go to stdout.
#include "pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void answer(const char* text) {
  char line[256];
  int size = snprintf(line, sizeof line, "%s\n", text);
  if (write(STDOUT_FILENO, line, size) != size) exit(2);
}

static void answer_check(void) {
  char line[200];
  const char* wrong = pair_check();
  snprintf(line, sizeof line, "%s%s", wrong ? "fail: " : "ok", wrong ? wrong : "");
  answer(line);
}

static void answer_version(void) {
  char line[16];
  snprintf(line, sizeof line, "%d", pair_version());
  answer(line);
}

static void obey(const char* command) {
  if (strcmp(command, "version\n") == 0) {
    answer_version();
  } else if (strcmp(command, "state\n") == 0) {
    pair_state();
    answer("ok");
  } else if (strcmp(command, "check\n") == 0) {
    answer_check();
  } else if (strcmp(command, "quit\n") == 0) {
    pair_end();
    exit(0);
  } else {
    answer("unknown command");
  }
}

int pair_begin(int argc, char** argv) {
  if (argc != 2) exit(2);
  int commands = open(argv[1], O_RDWR | O_CLOEXEC);
  if (commands < 0) exit(2);
  pair_start();
  answer("ready");
  return commands;
}

void pair_serve(int commands) {
  char command[32];
  ssize_t size = read(commands, command, sizeof command - 1);
  if (size < 0) exit(2);
  command[size] = '\0';
  obey(command);
}
