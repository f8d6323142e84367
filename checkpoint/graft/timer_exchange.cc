#include "checkpoint/graft/timer_exchange.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "checkpoint/call_batch.h"
#include "tracer/remote_call.h"
#include "tracer/sys/ptrace.h"

namespace mcr::checkpoint {
namespace {

using tracer::Injection;
using tracer::SignalQueue;
using tracer::TracedProcess;

// linux/prctl.h of Linux 6.15.
constexpr uint64_t kRestoreIds = 77;  // PR_TIMER_CREATE_RESTORE_IDS
constexpr uint64_t kOff = 0, kOn = 1;

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

std::string Named(const char* what, const Timer& timer) {
  return std::string(what) + " timer " + std::to_string(timer.id);
}

BatchedCall RestoreIdsCall(uint64_t on) {
  return {.what = "make timers anew under their ids (Linux 6.15 can)",
          .number = SYS_prctl,
          .arguments = {kRestoreIds, on}};
}

BatchedCall GetCall(const Timer& timer) {
  return {.what = Named("read", timer),
          .number = SYS_timer_gettime,
          .arguments = {static_cast<uint64_t>(timer.id)},
          .data = std::vector<std::byte>(sizeof(itimerspec)),
          .data_argument = 1};
}

BatchedCall DeleteCall(const Timer& timer) {
  return {.what = Named("delete", timer),
          .number = SYS_timer_delete,
          .arguments = {static_cast<uint64_t>(timer.id)}};
}

BatchedCall CreateCall(const Timer& timer) {
  sigevent event = {};
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(timer.value);
  event.sigev_signo = timer.signal;
  event.sigev_notify = timer.notify;
  event._sigev_un._tid = timer.thread;
  std::vector<std::byte> data = BytesOf(event);
  const std::vector<std::byte> id = BytesOf(timer.id);
  data.insert(data.end(), id.begin(), id.end());
  return {.what = Named("make anew", timer),
          .number = SYS_timer_create,
          .arguments = {static_cast<uint64_t>(timer.clock)},
          .data = std::move(data),
          .data_argument = 1,
          .second_argument = BatchedCall::SecondArgument{.index = 2, .to = sizeof event}};
}

BatchedCall SetCall(const Timer& timer, const itimerspec& setting) {
  return {.what = Named("set", timer),
          .number = SYS_timer_settime,
          .arguments = {static_cast<uint64_t>(timer.id), 0},
          .data = BytesOf(setting),
          .data_argument = 2};
}

Status Run(Injection& injection, std::span<BatchedCall> calls, pid_t pid) {
  MCR_TRY(RunBatch(injection, calls));
  return CheckResults(calls, Where(pid));
}

// Whether a signal of the timer is in the queue.
Result<bool> SignalWaits(TracedProcess& process, const Timer& timer) {
  const bool own = timer.notify == SIGEV_THREAD_ID;
  for (const auto& task : process.tasks) {
    if (own && task->tid() != timer.thread) continue;
    const SignalQueue queue = own ? SignalQueue::kThread : SignalQueue::kProcess;
    MCR_ASSIGN(const std::vector<siginfo_t> signals, tracer::PtracePeekSignals(task->tid(), queue));
    return std::ranges::any_of(signals, [&](const siginfo_t& signal) {
      return signal.si_code == SI_TIMER && signal.si_timerid == timer.id;
    });  // all threads of a process see the same queue
  }
  return false;
}

Status ReadSettings(Injection& injection, TracedProcess& process, std::vector<TimerState>& timers) {
  std::vector<BatchedCall> calls;
  for (const TimerState& timer : timers) calls.push_back(GetCall(timer.change.before));
  MCR_TRY(Run(injection, calls, process.pid));
  for (size_t i = 0; i < timers.size(); ++i) {
    std::memcpy(&timers[i].setting, calls[i].data.data(), sizeof(itimerspec));
  }
  return {};
}

void AddRenewal(const Timer& to, const itimerspec& setting, std::vector<BatchedCall>& calls) {
  calls.push_back(CreateCall(to));
  calls.push_back(SetCall(to, setting));
}

// Where ids can be asked for, which is never left behind: the process would take its own
// timer_create(2) for that.
Status RunWithIds(Injection& injection, std::vector<BatchedCall> calls, pid_t pid) {
  calls.push_back(RestoreIdsCall(kOff));
  return Run(injection, calls, pid);
}

}  // namespace

Result<std::vector<TimerState>> ReadTimers(TracedProcess& process,
                                           const std::vector<TimerChange>& changes) {
  std::vector<TimerState> timers;
  for (const TimerChange& change : changes) timers.push_back({change, {}});
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(ReadSettings(*injection, process, timers));
  MCR_TRY(injection->Close());
  // In this order: one that expires behind the look at its setting expires again.
  for (const TimerState& timer : timers) {
    MCR_ASSIGN(const bool waits, SignalWaits(process, timer.change.before));
    if (!waits) continue;
    return Fail(Named("a signal has not been delivered yet of", timer.change.before),
                Where(process.pid), "try again");
  }
  return timers;
}

Status ExchangeTimers(TracedProcess& process, const std::vector<TimerState>& timers) {
  std::vector<BatchedCall> calls;
  for (const TimerState& timer : timers) {
    calls.push_back(DeleteCall(timer.change.before));
    AddRenewal(timer.change.after, timer.setting, calls);
  }
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  std::vector<BatchedCall> on = {RestoreIdsCall(kOn)};
  MCR_TRY(Run(*injection, on, process.pid));
  MCR_TRY(RunWithIds(*injection, std::move(calls), process.pid));
  return injection->Close();
}

Status UndoTimers(TracedProcess& process, const std::vector<TimerState>& timers) {
  if (timers.empty()) return {};
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  // Where ids cannot be asked for, nothing has happened.
  std::vector<BatchedCall> on = {RestoreIdsCall(kOn)}, deletions, calls;
  MCR_TRY(RunBatch(*injection, on));
  if (!CheckResults(on, "")) return injection->Close();
  for (const TimerState& timer : timers) {
    deletions.push_back(DeleteCall(timer.change.before));
    AddRenewal(timer.change.before, timer.setting, calls);
  }
  MCR_TRY(RunBatch(*injection, deletions));  // some may be gone already
  MCR_TRY(RunWithIds(*injection, std::move(calls), process.pid));
  return injection->Close();
}

}  // namespace mcr::checkpoint
