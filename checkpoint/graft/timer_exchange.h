// Gives POSIX timers of a process other values (sigev_value).
//
// The kernel sets a timer's value once, when it makes it: each is deleted and made anew under its
// id (PR_TIMER_CREATE_RESTORE_IDS, Linux 6.15), with the time that is left and its interval. A
// signal that it has sent and that still waits goes with it, and is sent again with the new value.
// Two things are not the same afterwards: a timer that was set to a point of the real-time clock
// does not follow if that clock is set, and timer_getoverrun(2) begins at 0.
#ifndef MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_
#define MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_

#include <signal.h>
#include <time.h>

#include <optional>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "tracer/remote_call.h"
#include "tracer/sys/ptrace.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

class TimerExchange {
 public:
  explicit TimerExchange(const std::vector<TimerChange>& changes);

  Status Run(tracer::TracedProcess& process) { return Exchange(process, &TimerChange::after); }
  // Right also if Run came halfway, or was not begun.
  Status Revert(tracer::TracedProcess& process) { return Exchange(process, &TimerChange::before); }

 private:
  struct Waiting {
    siginfo_t signal;
    tracer::SignalQueue queue;
  };
  struct Entry {
    TimerChange change;
    std::optional<itimerspec> setting;  // nullopt: never read
    std::optional<Waiting> waiting;     // the signal that it has sent
    bool exists = false;
  };

  Status Exchange(tracer::TracedProcess& process, Timer TimerChange::* to);
  // What the timers are set to, and which have sent a signal, at one moment.
  Status Look(tracer::Injection& injection, tracer::TracedProcess& process);
  Status ReadSettings(tracer::Injection& injection);
  Result<bool> FindWaiting(tracer::TracedProcess& process);
  static Result<std::optional<Waiting>> FindSignal(tracer::TracedProcess& process,
                                                   const Timer& timer);

  std::vector<Entry> entries_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_
