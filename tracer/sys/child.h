// Child processes of ours that are not tracees: owned, waited for, killed.
#ifndef MCR_TRACER_SYS_CHILD_H_
#define MCR_TRACER_SYS_CHILD_H_

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <optional>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

// Owns a child process: a destroyed Child is dead and reaped.
class Child {
 public:
  static Result<Child> Own(pid_t pid);
  Child(Child&&) noexcept = default;
  Child& operator=(Child&&) noexcept = delete;
  ~Child();

  pid_t pid() const { return pid_; }

  // SIGKILL; returns before it is dead.
  void Kill();
  // Whether it has ended by the end of `timeout`; then it is reaped.
  bool Wait(std::chrono::milliseconds timeout);
  // Once it has: CLD_EXITED and its status, or CLD_KILLED, CLD_DUMPED and the signal.
  int end() const { return end_.si_code; }
  int status() const { return end_.si_status; }

 private:
  Child(pid_t pid, OwnedFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  OwnedFd pidfd_;  // invalid: reaped
  siginfo_t end_ = {};
};

struct EndedChild {
  pid_t pid;
  int status;  // of wait(2)
};

// Reaps one dead child of the calling process, whichever it is; nullopt: none is dead. For an init
// only.
std::optional<EndedChild> ReapAnyChild();

// Waits until the child has ended and reaps it.
void AwaitChild(pid_t pid);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_CHILD_H_
