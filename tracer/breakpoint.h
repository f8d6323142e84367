// Stops a traced thread before it executes an instruction, and is gone with whoever has set it.
//
// Nothing is written to the server's memory: a debug register of the processor does it (Intel SDM
// volume 3, 18.2). Not through ptrace(2), whose breakpoints outlive a tracer that is killed and
// tell of a hit by SIGTRAP, of which the process then dies. A breakpoint of perf_event_open(2) ends
// with its descriptor, which the kernel closes before it lets go of a dead tracer's tasks, and
// tells of a hit by the signal that it is asked for (F_SETSIG, F_SETOWN_EX of fcntl(2)): one that a
// process which does not catch it ignores.
#ifndef MCR_TRACER_BREAKPOINT_H_
#define MCR_TRACER_BREAKPOINT_H_

#include <signal.h>
#include <sys/types.h>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

class Breakpoint {
 public:
  // Fails for a thread that catches or blocks the signal, and where the kernel or the processor has
  // no breakpoint to give.
  static Result<Breakpoint> Set(pid_t tid, Addr at);

  // Whether a signal that is about to be delivered tells of a hit, of any breakpoint: it may come
  // when that has been taken away.
  static bool IsHit(int signal) { return signal == kSignal; }
  static bool IsHit(const siginfo_t& signal);

  Addr at() const { return at_; }

 private:
  static constexpr int kSignal = SIGURG;

  Breakpoint(OwnedFd event, Addr at) : event_(std::move(event)), at_(at) {}

  OwnedFd event_;
  Addr at_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_BREAKPOINT_H_
