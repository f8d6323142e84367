// server SOCKET [chroot=DIR] [uid=ID] [no_new_privileges] [seccomp] [notify] [fork=PIDFILE]
//
// A server that confines itself as it is told (or tells its manager that it is ready, or goes to
// the background), and answers each line with its version, how many
// lines it has seen, and the PID that it knows itself by. SOCKET is below the new root directory.
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { kMostClients = 16 };
static const char kVersion[] = "version " VERSION;
static int lines;

static void Demand(int ok, const char* what) {
  if (ok) return;
  perror(what);
  exit(1);
}

// Nothing but what serving needs: no process, file or mapping can be made.
static void Filter(void) {
#define ALLOW(call)                                      \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(poll),
      ALLOW(accept),
      ALLOW(read),
      ALLOW(write),
      ALLOW(close),
      ALLOW(getpid),
      ALLOW(exit_group),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  Demand(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  Demand(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

// sd_notify(3)
static void Notify(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char* path = getenv("NOTIFY_SOCKET");
  if (path == NULL) return;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int out = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (sendto(out, "READY=1", 7, 0, (struct sockaddr*)&address, sizeof address) < 0) perror(path);
  close(out);
}

static void GoToBackground(const char* pid_file) {
  const pid_t child = fork();
  Demand(child >= 0, "fork");
  if (child == 0) return;
  FILE* file = fopen(pid_file, "w");
  Demand(file != NULL && fprintf(file, "%d\n", child) > 0 && fclose(file) == 0, pid_file);
  exit(0);
}

static void Confine(const char* option) {
  const char* value = strchr(option, '=');
  if (strncmp(option, "chroot=", 7) == 0) {
    Demand(chroot(value + 1) == 0 && chdir("/") == 0, option);
  } else if (strncmp(option, "uid=", 4) == 0) {
    const unsigned id = (unsigned)atoi(value + 1);
    Demand(setgroups(0, NULL) == 0 && setgid(id) == 0 && setuid(id) == 0, option);
  } else if (strcmp(option, "no_new_privileges") == 0) {
    Demand(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, option);
  } else if (strcmp(option, "seccomp") == 0) {
    Filter();
  } else if (strcmp(option, "notify") == 0) {
    Notify();
  } else if (strncmp(option, "fork=", 5) == 0) {
    GoToBackground(value + 1);
  } else {
    errno = EINVAL;
    Demand(0, option);
  }
}

static int Listen(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  Demand(bind(listener, (struct sockaddr*)&address, sizeof address) == 0, path);
  Demand(listen(listener, kMostClients) == 0, "listen");
  return listener;
}

static int Answer(int client) {
  char line[256], answer[64];
  if (read(client, line, sizeof line) <= 0) return 0;
  const int size =
      snprintf(answer, sizeof answer, "%s line %d PID %d\n", kVersion, ++lines, getpid());
  return write(client, answer, (size_t)size) == size;
}

__attribute__((noinline)) static void Serve(int listener) {
  struct pollfd waiting[kMostClients + 1] = {{.fd = listener, .events = POLLIN}};
  nfds_t count = 1;
  for (;;) {
    if (poll(waiting, count, -1) < 0) continue;
    for (nfds_t i = 1; i < count; ++i) {
      if (waiting[i].revents == 0 || Answer(waiting[i].fd)) continue;
      close(waiting[i].fd);
      waiting[i--] = waiting[--count];
    }
    if (waiting[0].revents == 0 || count > kMostClients) continue;
    waiting[count++] = (struct pollfd){.fd = accept(listener, NULL, NULL), .events = POLLIN};
  }
}

int main(int argc, char** argv) {
  Demand(argc > 1, "arguments");
  for (int i = 2; i < argc; ++i) {
    if (strncmp(argv[i], "chroot=", 7) == 0) Confine(argv[i]);
  }
  const int listener = Listen(argv[1]);
  for (int i = 2; i < argc; ++i) {
    if (strncmp(argv[i], "chroot=", 7) != 0) Confine(argv[i]);
  }
  Serve(listener);
}
