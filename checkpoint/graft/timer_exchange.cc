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
// Between two looks, a timer may expire again.
constexpr int kMostLooks = 100;

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

// A process may send itself what else only the kernel sends (rt_sigqueueinfo(2)).
BatchedCall SignalCall(pid_t pid, const TimerState& state, const Timer& timer) {
  siginfo_t signal = {};
  signal.si_signo = timer.signal;
  signal.si_code = SI_TIMER;
  signal.si_timerid = timer.id;
  signal.si_overrun = state.signal.si_overrun;
  signal.si_value.sival_ptr = reinterpret_cast<void*>(timer.value);
  BatchedCall call = {.what = Named("send again the signal of", timer), .data = BytesOf(signal)};
  const auto to = static_cast<uint64_t>(pid), number = static_cast<uint64_t>(timer.signal);
  if (timer.notify != SIGEV_THREAD_ID) {
    call.number = SYS_rt_sigqueueinfo;
    call.arguments = {to, number};
    call.data_argument = 2;
  } else {
    call.number = SYS_rt_tgsigqueueinfo;
    call.arguments = {to, static_cast<uint64_t>(timer.thread), number};
    call.data_argument = 3;
  }
  return call;
}

Status Run(Injection& injection, std::span<BatchedCall> calls, pid_t pid) {
  MCR_TRY(RunBatch(injection, calls));
  return CheckResults(calls, Where(pid));
}

// The signal of the timer that waits to be delivered.
Result<std::optional<siginfo_t>> FindSignal(TracedProcess& process, const Timer& timer) {
  const bool own = timer.notify == SIGEV_THREAD_ID;
  for (const auto& task : process.tasks) {
    if (own && task->tid() != timer.thread) continue;
    const SignalQueue queue = own ? SignalQueue::kThread : SignalQueue::kProcess;
    MCR_ASSIGN(const std::vector<siginfo_t> signals, tracer::PtracePeekSignals(task->tid(), queue));
    for (const siginfo_t& signal : signals) {
      if (signal.si_code == SI_TIMER && signal.si_timerid == timer.id) return std::optional(signal);
    }
    break;  // all threads of a process see the same queue
  }
  return std::optional<siginfo_t>();
}

TimerState Unread(const TimerChange& change) {
  TimerState timer = {};
  timer.change = change;
  return timer;
}

// Whether there are other ones than before.
Result<bool> FindSignals(TracedProcess& process, std::vector<TimerState>& timers) {
  bool changed = false;
  for (TimerState& timer : timers) {
    MCR_ASSIGN(const auto signal, FindSignal(process, timer.change.before));
    changed |= timer.waits != signal.has_value();
    timer.waits = signal.has_value();
    if (signal) timer.signal = *signal;
  }
  return changed;
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

// The clocks run on while a process is stopped: what is read is of one moment if no signal came
// while it was. One that expires later expires once more when it is made anew, and its signal goes
// with the old one.
Status Look(Injection& injection, TracedProcess& process, std::vector<TimerState>& timers) {
  MCR_TRY(ReadSettings(injection, process, timers));
  MCR_TRY(FindSignals(process, timers));
  for (int look = 0; look < kMostLooks; ++look) {
    MCR_TRY(ReadSettings(injection, process, timers));
    MCR_ASSIGN(const bool changed, FindSignals(process, timers));
    if (!changed) return {};
  }
  return Fail("timers expire faster than they can be read", Where(process.pid));
}

bool IsSet(const itimerspec& setting) {
  return setting.it_value.tv_sec != 0 || setting.it_value.tv_nsec != 0;
}

Result<std::vector<Timer>> ListTimers(pid_t pid) {
  MCR_ASSIGN(const std::string text, tracer::ProcFs().ReadText(pid, "timers"));
  return ParseTimers(text);
}

// What is there now under the ids of `timers`.
Result<std::vector<TimerState>> LookAgain(Injection& injection, TracedProcess& process,
                                          const std::vector<TimerState>& timers) {
  MCR_ASSIGN(const std::vector<Timer> now, ListTimers(process.pid));
  std::vector<TimerState> there;
  for (const TimerState& timer : timers) {
    const auto found = std::ranges::find(now, timer.change.before.id, &Timer::id);
    if (found != now.end()) there.push_back(Unread({*found, *found}));
  }
  if (!there.empty()) MCR_TRY(Look(injection, process, there));
  return there;
}

void AddRenewal(const Timer& to, const itimerspec& setting, bool is_there,
                std::vector<BatchedCall>& calls) {
  if (is_there) calls.push_back(DeleteCall(to));
  calls.push_back(CreateCall(to));
  calls.push_back(SetCall(to, setting));
}

bool IsAsItWas(const TimerState& was, const TimerState* now) {
  return now != nullptr && now->change.before.value == was.change.before.value;
}

// `now`: what is there, itself or what took its place; nullptr: nothing is. What is there is more
// recent than what was recorded, unless it was left before it was set. A signal goes with its
// timer.
void AddUndo(pid_t pid, const TimerState& was, const TimerState* now,
             std::vector<BatchedCall>& calls) {
  const Timer& before = was.change.before;
  const bool waits = now != nullptr && now->waits;
  const bool is_set = waits || (now != nullptr && IsSet(now->setting));
  if (!IsAsItWas(was, now)) {
    AddRenewal(before, is_set ? now->setting : was.setting, now != nullptr, calls);
  } else if (!is_set) {
    calls.push_back(SetCall(before, was.setting));
  }
  const bool is_kept = waits && IsAsItWas(was, now);
  if (is_kept || !(waits || was.waits)) return;
  calls.push_back(SignalCall(pid, waits ? *now : was, before));
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
  MCR_TRY(Look(*injection, process, timers));
  MCR_TRY(injection->Close());
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
  MCR_ASSIGN(const std::vector<TimerState> there, LookAgain(*injection, process, timers));
  std::vector<BatchedCall> calls;
  bool renews = false;
  for (const TimerState& was : timers) {
    const auto found = std::ranges::find_if(
        there, [&](const TimerState& now) { return now.change.before.id == was.change.before.id; });
    const TimerState* now = found == there.end() ? nullptr : &*found;
    AddUndo(process.pid, was, now, calls);
    renews |= !IsAsItWas(was, now);
  }
  if (renews) {
    MCR_TRY(RunWithIds(*injection, std::move(calls), process.pid));
  } else if (!calls.empty()) {
    MCR_TRY(Run(*injection, calls, process.pid));
  }
  return injection->Close();
}

Status SendTimerSignals(TracedProcess& process, const std::vector<TimerState>& timers) {
  std::vector<BatchedCall> calls;
  for (const TimerState& timer : timers) {
    if (!timer.waits) continue;
    MCR_ASSIGN(const auto signal, FindSignal(process, timer.change.after));
    if (!signal) calls.push_back(SignalCall(process.pid, timer, timer.change.after));
  }
  if (calls.empty()) return {};
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(Run(*injection, calls, process.pid));
  return injection->Close();
}

}  // namespace mcr::checkpoint
