// Blocks in the call that its argument names and says how the call ended, again and again.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static void Handle(int signal) { handled += signal != 0; }
static void HandleBlocking(int signal) {
  char byte;
  if (read(0, &byte, 1) == 1) Handle(signal);
}

static long Milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int Block(const char* call, int epoll, const sigset_t* open) {
  struct epoll_event event;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  const struct timespec time = {.tv_nsec = 300000000};
  char byte;
  if (strcmp(call, "epoll_wait") == 0) return epoll_wait(epoll, &event, 1, -1);
  if (strcmp(call, "epoll_wait_300") == 0) return epoll_wait(epoll, &event, 1, 300);
  if (strcmp(call, "poll") == 0) return poll(&input, 1, -1);
  if (strcmp(call, "poll_300") == 0) return poll(&input, 1, 300);
  if (strcmp(call, "read") == 0) return (int)read(0, &byte, 1);
  if (strcmp(call, "nanosleep") == 0) return nanosleep(&time, NULL);
  if (strcmp(call, "handler") == 0) return raise(SIGUSR1);
  if (strcmp(call, "sigsuspend") == 0) return sigsuspend(open);
  exit(2);
}

int main(int argc, char** argv) {
  const char* call = argc > 1 ? argv[1] : "";
  sigset_t usr1, before;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  if (strcmp(call, "sigsuspend") == 0) sigprocmask(SIG_BLOCK, &usr1, NULL);
  sigprocmask(SIG_SETMASK, NULL, &before);
  sigset_t open = before;
  sigdelset(&open, SIGUSR1);
  signal(SIGUSR1, strcmp(call, "handler") == 0 ? HandleBlocking : Handle);
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  for (;;) {
    const long start = Milliseconds();
    errno = 0;
    const int result = Block(call, epoll, &open);
    const int error = errno;
    const long slept = Milliseconds() - start;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("%d %s signals %d mask %s %s\n", result, error ? strerrorname_np(error) : "ok",
           (int)handled, memcmp(&now, &before, 8) == 0 ? "same" : "changed",
           slept < 290 ? "early" : "late");
    char byte;
    if (result == 1 && strcmp(call, "read") != 0 && read(0, &byte, 1) == 0) return 0;
  }
}
