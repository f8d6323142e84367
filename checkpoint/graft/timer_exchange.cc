#include "checkpoint/graft/timer_exchange.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "checkpoint/call_batch.h"
#include "checkpoint/timer_list.h"
#include "tracer/remote_call.h"
#include "tracer/sys/procfs.h"
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

template <class T>
std::vector<std::byte> BytesOf(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

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

TimerState Unread(const TimerChange& change) {
  TimerState timer = {};
  timer.change = change;
  return timer;
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

bool IsSet(const itimerspec& setting) {
  return setting.it_value.tv_sec != 0 || setting.it_value.tv_nsec != 0;
}

Result<std::vector<Timer>> ListTimers(pid_t pid) {
  MCR_ASSIGN(const std::string text, tracer::ProcFs().ReadText(pid, "timers"));
  return ParseTimers(text);
}

// What is there now under the id of one of the timers.
struct Found {
  TimerState timer;
  bool waits = false;  // a signal of this one, or of another that had its id
};

Result<std::vector<Found>> LookAgain(Injection& injection, TracedProcess& process,
                                     const std::vector<TimerState>& timers) {
  MCR_ASSIGN(const std::vector<Timer> now, ListTimers(process.pid));
  std::vector<TimerState> there;
  for (const TimerState& timer : timers) {
    const auto found = std::ranges::find(now, timer.change.before.id, &Timer::id);
    if (found != now.end()) there.push_back(Unread({*found, *found}));
  }
  if (!there.empty()) MCR_TRY(ReadSettings(injection, process, there));
  std::vector<Found> found;
  for (const TimerState& timer : there) {
    MCR_ASSIGN(const bool waits, SignalWaits(process, timer.change.before));
    found.push_back({timer, waits});
  }
  return found;
}

void AddRenewal(const Timer& to, const itimerspec& setting, bool is_there,
                std::vector<BatchedCall>& calls) {
  if (is_there) calls.push_back(DeleteCall(to));
  calls.push_back(CreateCall(to));
  calls.push_back(SetCall(to, setting));
}

// `now`: what is there, itself or what took its place; nullptr: nothing is. What is there is more
// recent than what was recorded, unless it has expired or was left before it was set.
void AddUndo(const TimerState& was, const Found* now, std::vector<BatchedCall>& calls) {
  const Timer& before = was.change.before;
  const bool runs = now != nullptr && !now->waits && IsSet(now->timer.setting);
  const bool rests = now != nullptr && !now->waits && !IsSet(was.setting);
  const bool itself = now != nullptr && now->timer.change.before.value == before.value;
  if (itself && (runs || rests)) return;
  AddRenewal(before, runs ? now->timer.setting : was.setting, now != nullptr, calls);
}

// With nothing done where ids cannot be asked for. That they can be is never left behind: the
// process would take its own timer_create(2) for one.
Status RunWithIds(Injection& injection, std::vector<BatchedCall> calls, pid_t pid) {
  std::vector<BatchedCall> on = {RestoreIdsCall(kOn)};
  MCR_TRY(Run(injection, on, pid));
  calls.push_back(RestoreIdsCall(kOff));
  return Run(injection, calls, pid);
}

}  // namespace

Result<std::vector<TimerState>> ReadTimers(TracedProcess& process,
                                           const std::vector<TimerChange>& changes) {
  std::vector<TimerState> timers;
  for (const TimerChange& change : changes) timers.push_back(Unread(change));
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
    AddRenewal(timer.change.after, timer.setting, true, calls);
  }
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(RunWithIds(*injection, std::move(calls), process.pid));
  return injection->Close();
}

Status UndoTimers(TracedProcess& process, const std::vector<TimerState>& timers) {
  if (timers.empty()) return {};
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  // Fails where ids cannot be asked for, and nothing has happened.
  std::vector<BatchedCall> off = {RestoreIdsCall(kOff)};
  MCR_TRY(RunBatch(*injection, off));
  MCR_ASSIGN(const std::vector<Found> there, LookAgain(*injection, process, timers));
  std::vector<BatchedCall> calls;
  for (const TimerState& was : timers) {
    const auto found = std::ranges::find_if(there, [&](const Found& now) {
      return now.timer.change.before.id == was.change.before.id;
    });
    AddUndo(was, found == there.end() ? nullptr : &*found, calls);
  }
  if (!calls.empty()) MCR_TRY(RunWithIds(*injection, std::move(calls), process.pid));
  return injection->Close();
}

}  // namespace mcr::checkpoint
