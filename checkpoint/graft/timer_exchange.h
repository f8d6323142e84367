// Gives POSIX timers of a process other values (sigev_value).
//
// The kernel sets a timer's value once, when it makes it: each is deleted and made anew under its
// id (PR_TIMER_CREATE_RESTORE_IDS, Linux 6.15), with the time that is left and its interval. The
// signal of a deleted timer may still be in the queue, but is not delivered any more
// (kernel/time/posix-timers.c, posixtimer_deliver_signal): a timer is not exchanged while one
// waits. Two things are not the same afterwards: a timer that was set to a point of the real-time
// clock does not follow if that clock is set, and timer_getoverrun(2) begins at 0.
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
};

// Of timers that are as they were (TimerChange::before). Fails if the signal of one waits.
Result<std::vector<TimerState>> ReadTimers(tracer::TracedProcess& process,
                                           const std::vector<TimerChange>& changes);

// Timers as TimerChange::after. Only UndoTimers deals with it if it fails.
Status ExchangeTimers(tracer::TracedProcess& process, const std::vector<TimerState>& timers);

// Makes the timers anew as they were, however far an exchange or an undo has come: they lose the
// time since they were read, and one that has expired since does so again.
Status UndoTimers(tracer::TracedProcess& process, const std::vector<TimerState>& timers);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_TIMER_EXCHANGE_H_
