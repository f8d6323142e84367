// When start-up is over: every task of the sandbox is asleep in a call in which a server waits for
// work, and stays so.
//
// Not the first blocking call of each: messages between processes that were sent late follow it.
#ifndef MCR_TRACER_REHEARSAL_IDLE_H_
#define MCR_TRACER_REHEARSAL_IDLE_H_

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "profiles/profile.h"
#include "tracer/sys/pid_namespace.h"

namespace mcr::tracer {

// Numbers of the calls in which a task counts as idle: the profile's, or all blocking calls without
// one.
std::set<long> IdleCalls(const profiles::Profile* profile);

class IdleDetector {
 public:
  using Clock = std::chrono::steady_clock;

  IdleDetector(std::set<long> idle_calls, std::chrono::milliseconds idle_time)
      : idle_calls_(std::move(idle_calls)), idle_time_(idle_time) {}

  // Whether start-up is over, after one more look at all tasks. That is when no task has run for
  // `idle_time`; or when, for ten times as long, every look found every task in the same call of
  // the same caller (a server with a fast timer never sleeps through, and yet waits).
  bool Observe(const std::vector<TaskActivity>& tasks, Clock::time_point now);

  // What a task that is not idle does, for an error message; empty if all are.
  std::string Busy(const std::vector<TaskActivity>& tasks) const;

  bool IsIdleCall(long number) const { return idle_calls_.contains(number); }

 private:
  bool IsIdle(const TaskActivity& task) const;

  std::set<long> idle_calls_;
  std::chrono::milliseconds idle_time_;
  std::vector<TaskActivity> last_;
  Clock::time_point quiet_since_;   // no task has run
  Clock::time_point asleep_since_;  // every task was found in the same call
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_IDLE_H_
