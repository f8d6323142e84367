#include "tracer/rehearsal/idle.h"

#include <algorithm>

#include "mcr/base/system_call.h"

namespace mcr::tracer {
namespace {

constexpr int kAsleepFactor = 10;

bool IsSameCall(const TaskActivity& a, const TaskActivity& b) {
  return a.tid == b.tid && a.start_time == b.start_time && a.system_call == b.system_call &&
         a.stack_pointer == b.stack_pointer;
}

}  // namespace

std::set<long> IdleCalls(const profiles::Profile* profile) {
  std::set<long> calls;
  if (profile != nullptr) {
    for (const auto& role : profile->learned().roles()) {
      for (const auto& point : role.quiescent_points()) {
        if (const auto number = BlockingCallNumber(point.system_call())) calls.insert(*number);
      }
    }
  }
  if (!calls.empty()) return calls;
  for (const BlockingCall& call : kBlockingCalls) calls.insert(call.number);
  return calls;
}

bool IdleDetector::IsIdle(const TaskActivity& task) const {
  return task.state == 'S' && IsIdleCall(task.system_call);
}

bool IdleDetector::Observe(const std::vector<TaskActivity>& tasks, Clock::time_point now) {
  const bool all_idle = !tasks.empty() && std::ranges::all_of(tasks, [this](const auto& task) {
    return IsIdle(task);
  });
  if (!all_idle || !std::ranges::equal(tasks, last_, IsSameCall)) asleep_since_ = now;
  if (!all_idle || tasks != last_) quiet_since_ = now;
  last_ = tasks;
  return all_idle &&
         (now - quiet_since_ >= idle_time_ || now - asleep_since_ >= kAsleepFactor * idle_time_);
}

std::string IdleDetector::Busy(const std::vector<TaskActivity>& tasks) const {
  for (const TaskActivity& task : tasks) {
    if (IsIdle(task)) continue;
    const std::string who = task.name + " (PID " + std::to_string(task.pid) + " of the sandbox)";
    if (task.state != 'S') return who + " is in state " + task.state;
    const auto call = BlockingCallName(task.system_call);
    return who + " sleeps in " +
           (call ? std::string(*call) : "system call " + std::to_string(task.system_call));
  }
  return {};
}

}  // namespace mcr::tracer
