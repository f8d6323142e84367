#include "tracer/sys/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace mcr::tracer {

// By number: the declarations of glibc 2.36 lack extern "C".
Result<Child> Child::Own(pid_t pid) {
  OwnedFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid())
    return FailErrno("cannot watch the child process", "pid " + std::to_string(pid));
  return Child(pid, std::move(pidfd));
}

Child::~Child() {
  if (!pidfd_.valid()) return;
  Kill();
  Wait(std::chrono::seconds(5));
}

void Child::Kill() {
  if (pidfd_.valid()) syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

bool Child::Wait(std::chrono::milliseconds timeout) {
  if (!pidfd_.valid()) return true;
  pollfd ready{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(timeout.count())) != 1) return false;
  // ECHILD, somebody else reaped it, is as good.
  waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &end_, WEXITED | __WALL);
  pidfd_.Reset();
  return true;
}

std::optional<EndedChild> ReapAnyChild() {
  int status = 0;
  const pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
  if (pid <= 0) return std::nullopt;
  return EndedChild{pid, status};
}

void AwaitChild(pid_t pid) {
  while (waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
  }
}

}  // namespace mcr::tracer
