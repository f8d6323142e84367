#include "tracer/sys/wait.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace mcr::tracer {
namespace {

// SIGCHLD may go to another thread of this process, which ignores it. Looking again after this time
// bounds what that costs.
constexpr std::chrono::microseconds kLongestSleep{1000};

sigset_t ChildSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  return set;
}

}  // namespace

WaitStatus DecodeWaitStatus(int status) {
  WaitStatus decoded;
  if (WIFEXITED(status)) {
    decoded.kind = WaitStatus::Kind::kExited;
    decoded.exit_code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    decoded.kind = WaitStatus::Kind::kKilled;
    decoded.signal = WTERMSIG(status);
  } else if ((status >> 16) != 0) {
    decoded.kind = WaitStatus::Kind::kEvent;
    decoded.event = status >> 16;
    decoded.signal = WSTOPSIG(status) & 0x7f;
  } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
    decoded.kind = WaitStatus::Kind::kSystemCall;
  } else {
    decoded.kind = WaitStatus::Kind::kSignal;
    decoded.signal = WSTOPSIG(status);
  }
  return decoded;
}

Result<std::optional<WaitStatus>> PollTask(pid_t tid) {
  int status = 0;
  const pid_t found = waitpid(tid, &status, WNOHANG | __WALL);
  if (found == 0) return std::optional<WaitStatus>();
  if (found == tid) return std::optional(DecodeWaitStatus(status));
  if (errno == ECHILD) {
    return std::optional(WaitStatus{.kind = WaitStatus::Kind::kKilled, .signal = SIGKILL});
  }
  return FailErrno("cannot wait", "tid " + std::to_string(tid));
}

void WaitForChildSignal(std::chrono::microseconds timeout) {
  const auto sleep = std::clamp(timeout, std::chrono::microseconds(0), kLongestSleep);
  const timespec time{0, sleep.count() * 1000};
  const sigset_t set = ChildSignal();
  sigtimedwait(&set, nullptr, &time);
}

ChildSignalGuard::ChildSignalGuard() {
  const sigset_t set = ChildSignal();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  was_blocked_ = sigismember(&before, SIGCHLD) == 1;
}

ChildSignalGuard::~ChildSignalGuard() {
  if (was_blocked_) return;
  const sigset_t set = ChildSignal();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace mcr::tracer
