// A process with one of everything that a graft changes or has to know of: data, a signal handler and its stack, an epoll
// entry, a timer. Prints the addresses, then
// answers each line of input with what it finds. With an argument it first gives up that uid's privileges and copies its own
// program into anonymous memory, so that nothing maps its file any more.
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static long value = 11;
static const long constant = 22;
static volatile char which;

static void First(int signal) { which = signal ? 'a' : 0; }
static void Second(int signal) { which = signal ? 'b' : 0; }

static void CopyMapping(const char* line) {
  unsigned long begin, end;
  char mode[5];
  sscanf(line, "%lx-%lx %4s", &begin, &end, mode);
  const int protection = (mode[0] == 'r' ? PROT_READ : 0) | (mode[1] == 'w' ? PROT_WRITE : 0) |
                         (mode[2] == 'x' ? PROT_EXEC : 0);
  void* copy = mmap(NULL, end - begin, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(copy, (void*)begin, end - begin);
  mprotect(copy, end - begin, protection);
  mremap(copy, end - begin, end - begin, MREMAP_MAYMOVE | MREMAP_FIXED, begin);
}

static void LeaveOwnFile(void) {
  static char text[65536];
  char program[4096] = "";
  if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0) abort();
  const int maps = open("/proc/self/maps", O_RDONLY);
  for (ssize_t size = 0, n; (n = read(maps, text + size, sizeof(text) - 1 - size)) > 0;) size += n;
  for (char* line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    if (strstr(line, program)) CopyMapping(line);
  }
}

static void DropPrivileges(uid_t uid) {
  if (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0) abort();
}

int main(int argc, char** argv) {
  if (argc > 1) LeaveOwnFile();
  if (argc > 1) DropPrivileges((uid_t)atoi(argv[1]));
  long* shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[512] = 33;
  const int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1111};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
  signal(SIGUSR1, First);
  static char stack[1 << 16];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
  timer_t timer;
  struct sigevent expiry = {.sigev_signo = SIGUSR1, .sigev_value.sival_ptr = (void*)0x2222};
  timer_create(CLOCK_MONOTONIC, &expiry, &timer);
  timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_sec = 3600}, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%lu %lu %lu\n", (unsigned long)&value, (unsigned long)&constant, (unsigned long)Second);
  char byte;
  for (;;) {
    if (epoll_wait(epoll, &event, 1, -1) != 1) continue;
    if (read(0, &byte, 1) != 1) return 0;
    raise(SIGUSR1);
    struct itimerspec setting;
    timer_gettime(timer, &setting);
    stack_t now;
    sigaltstack(NULL, &now);
    printf("%ld %ld %c %lx timer %d stack %zu dumpable %d\n", *(volatile long*)&value,
           *(volatile const long*)&constant, which, (unsigned long)event.data.u64,
           setting.it_value.tv_sec > 0, now.ss_size, prctl(PR_GET_DUMPABLE));
  }
}
