#include "checkpoint/cgroup_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mcr::checkpoint {
namespace {

constexpr size_t kMaxPath = 4096;

int OpenIn(const char* directory, const char* name, int flags) {
  char path[kMaxPath];
  const size_t length = strlen(directory);
  if (length + strlen(name) + 2 > sizeof(path)) return -1;
  memcpy(path, directory, length);
  path[length] = '/';
  strcpy(path + length + 1, name);
  return open(path, flags);
}

// The kernel takes one PID with each write.
void MoveAll(const char* cgroup, const char* parent) {
  char pids[65536];
  const int from = OpenIn(cgroup, "cgroup.procs", O_RDONLY);
  const int to = OpenIn(parent, "cgroup.procs", O_WRONLY);
  const ssize_t size = read(from, pids, sizeof(pids));
  ssize_t begin = 0;
  for (ssize_t i = 0; i < size; ++i) {
    if (pids[i] != '\n') continue;
    (void)!write(to, pids + begin, static_cast<size_t>(i - begin));
    begin = i + 1;
  }
  close(from);
  close(to);
}

void KeepOnly(int fd) {
  if (fd > 0) syscall(SYS_close_range, 0u, static_cast<unsigned>(fd - 1), 0u);
  syscall(SYS_close_range, static_cast<unsigned>(fd + 1), ~0u, 0u);
}

}  // namespace

void RunCgroupGuard(int pipe, const char* cgroup, const char* parent) {
  // Not in the terminal's process group: what kills the parent there must not kill the guard. No
  // other descriptor: somebody may be waiting for the end of a file that the parent has open.
  setsid();
  KeepOnly(pipe);
  char byte;
  ssize_t count;
  do {
    count = read(pipe, &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 1) _exit(0);
  const int freeze = OpenIn(cgroup, "cgroup.freeze", O_WRONLY);
  (void)!write(freeze, "0", 1);
  // Processes may be forked while the list is read.
  for (int attempt = 0; attempt < 10 && rmdir(cgroup) != 0; ++attempt) MoveAll(cgroup, parent);
  _exit(0);
}

}  // namespace mcr::checkpoint
