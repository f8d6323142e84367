// Gives POSIX timers of a process other values (sigev_value).
//
// The kernel sets a timer's value once, when it makes it: each is deleted and made anew under its
// id (PR_TIMER_CREATE_RESTORE_IDS, Linux 6.15), with the time that is left and its interval. A
// signal that it has sent and that still waits goes with it, and is sent again with the new value
// when there is no way back any more: one that was sent again would not go with its timer.
// Two things are not the same afterwards: a timer that was set to a point of the real-time clock
// does not follow if that clock is set, and timer_getoverrun(2) begins at 0.
#ifndef MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_
#define MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_

#include <signal.h>
#include <time.h>

#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

// What is lost with a timer that is deleted.
struct TimerState {
  TimerChange change;
  itimerspec setting;
  bool waits;  // a signal that it has sent, which follows
  siginfo_t signal;
};

// Of timers that are as they were (TimerChange::before), at one moment.
Result<std::vector<TimerState>> ReadTimers(tracer::TracedProcess& process,
                                           const std::vector<TimerChange>& changes);

// Timers as TimerChange::after. Only the next two deal with it if it fails.
Status ExchangeTimers(tracer::TracedProcess& process, const std::vector<TimerState>& timers);

// Puts back what is found not to be as it was, however far an exchange or an undo has come.
Status UndoTimers(tracer::TracedProcess& process, const std::vector<TimerState>& timers);

// Finishes an exchange: the signals that are found not to wait any more. Can be done again.
Status SendTimerSignals(tracer::TracedProcess& process, const std::vector<TimerState>& timers);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_
