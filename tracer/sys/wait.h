// wait4(2) for traced tasks, its status decoded once.
#ifndef MCR_TRACER_SYS_WAIT_H_
#define MCR_TRACER_SYS_WAIT_H_

#include <sys/types.h>

#include <chrono>
#include <optional>

#include "mcr/base/result.h"

namespace mcr::tracer {

struct WaitStatus {
  enum class Kind {
    kExited,      // by itself: exit_code
    kKilled,      // by `signal`
    kSignal,      // about to get `signal`, or trapped (SIGTRAP)
    kSystemCall,  // entry or exit of a system call (PTRACE_O_TRACESYSGOOD)
    kEvent,       // `event`: PTRACE_EVENT_*; with PTRACE_EVENT_STOP `signal` tells a group stop
  };
  Kind kind = Kind::kExited;
  int exit_code = 0;
  int signal = 0;
  int event = 0;

  bool IsDeath() const { return kind == Kind::kExited || kind == Kind::kKilled; }
};

WaitStatus DecodeWaitStatus(int status);

// What has happened to `tid`, without waiting; nullopt: nothing. A task that is not ours to wait
// for (any more) counts as killed: a thread of a process that executed another program leaves no
// status.
Result<std::optional<WaitStatus>> PollTask(pid_t tid);

// Waits until some child or tracee changes state, or for `timeout`, whichever is first. May return
// early; tell what happened by PollTask.
//
// Needs SIGCHLD blocked from before the PollTask calls that it follows: see ChildSignalGuard.
void WaitForChildSignal(std::chrono::microseconds timeout);

// Blocks SIGCHLD in this thread, so that one that comes between a poll and a wait is kept for the
// wait (a blocked signal is kept pending even where it would be ignored).
class ChildSignalGuard {
 public:
  ChildSignalGuard();
  ChildSignalGuard(const ChildSignalGuard&) = delete;
  ChildSignalGuard& operator=(const ChildSignalGuard&) = delete;
  ~ChildSignalGuard();

 private:
  bool was_blocked_ = false;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_WAIT_H_
