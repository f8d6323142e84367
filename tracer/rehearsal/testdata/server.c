// A server in one of several ways: `server WAY [ARGUMENT]`. See main.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void write_pid(const char* path, int flags) {
  const int fd = open(path, O_WRONLY | flags, 0644);
  if (fd < 0 || dprintf(fd, "%d\n", getpid()) < 0) fail(path);
}

// Leaves a child behind, as soon as that is ready.
static void daemonize(const char* pid_file) {
  int ready[2];
  if (pipe(ready) != 0) fail("pipe");
  if (fork() != 0) {
    char byte;
    exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
  }
  setsid();
  write_pid(pid_file, O_CREAT | O_TRUNC);
  if (write(ready[1], "", 1) != 1) fail("write");
}

static void start_workers(int count) {
  while (count-- > 0) {
    if (fork() == 0) break;
  }
}

static void listen_on_port(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 1) != 0) fail("bind");
}

static void listen_on_path(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 1) != 0) fail("bind");
}

int main(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : "";
  const char* argument = argc > 2 ? argv[2] : "";
  if (strcmp(way, "daemon") == 0) daemonize(argument);
  if (strcmp(way, "workers") == 0) start_workers(atoi(argument));
  if (strcmp(way, "port") == 0) listen_on_port(atoi(argument));
  if (strcmp(way, "socket") == 0) listen_on_path(argument);
  if (strcmp(way, "append") == 0) write_pid(argument, O_APPEND);
  if (strcmp(way, "refuse") == 0)
    return fprintf(stderr, "starting\nno such setting: %s\n", argument), 1;
  if (strcmp(way, "crash") == 0) abort();
  for (volatile int i = 1; strcmp(way, "spin") == 0 && i; i = 1) {
  }
  pause();
}
