#include "checkpoint/graft/timer_exchange.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "checkpoint/call_batch.h"

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
BatchedCall SignalCall(pid_t pid, const Timer& timer, const siginfo_t& before, SignalQueue queue) {
  siginfo_t signal = {};
  signal.si_signo = timer.signal;
  signal.si_code = SI_TIMER;
  signal.si_timerid = timer.id;
  signal.si_overrun = before.si_overrun;
  signal.si_value.sival_ptr = reinterpret_cast<void*>(timer.value);
  BatchedCall call = {.what = Named("send again the signal of", timer), .data = BytesOf(signal)};
  const auto to = static_cast<uint64_t>(pid), number = static_cast<uint64_t>(timer.signal);
  if (queue == SignalQueue::kProcess) {
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

}  // namespace

TimerExchange::TimerExchange(const std::vector<TimerChange>& changes) {
  for (const TimerChange& change : changes) entries_.push_back({.change = change});
}

Status TimerExchange::Exchange(TracedProcess& process, Timer TimerChange::* to) {
  MCR_ASSIGN(const auto injection, Injection::Open(process));
  MCR_TRY(Look(*injection, process));
  std::vector<BatchedCall> calls = {RestoreIdsCall(kOn)};
  for (const Entry& entry : entries_) {
    if (!entry.setting) continue;
    const Timer& timer = entry.change.*to;
    if (entry.exists) calls.push_back(DeleteCall(timer));
    calls.push_back(CreateCall(timer));
    calls.push_back(SetCall(timer, *entry.setting));
    if (!entry.waiting) continue;
    calls.push_back(SignalCall(process.pid, timer, entry.waiting->signal, entry.waiting->queue));
  }
  calls.push_back(RestoreIdsCall(kOff));
  // Where ids cannot be asked for, no timer may be deleted.
  std::span<BatchedCall> all(calls);
  MCR_TRY(RunBatch(*injection, all.first(1)));
  MCR_TRY(CheckResults(all.first(1), "PID " + std::to_string(process.pid)));
  MCR_TRY(RunBatch(*injection, all.subspan(1)));
  MCR_TRY(CheckResults(calls, "PID " + std::to_string(process.pid)));
  return injection->Close();
}

// A timer may expire in between: what is read is of one moment if no signal came while it was. One
// that expires later expires once more when it is made anew, and its signal goes with the old one.
Status TimerExchange::Look(Injection& injection, TracedProcess& process) {
  MCR_TRY(ReadSettings(injection));
  MCR_TRY(FindWaiting(process));
  for (int look = 0; look < kMostLooks; ++look) {
    MCR_TRY(ReadSettings(injection));
    MCR_ASSIGN(const bool changed, FindWaiting(process));
    if (!changed) return {};
  }
  return Fail("timers expire faster than they can be read", "PID " + std::to_string(process.pid));
}

Status TimerExchange::ReadSettings(Injection& injection) {
  std::vector<BatchedCall> calls;
  for (const Entry& entry : entries_) calls.push_back(GetCall(entry.change.before));
  MCR_TRY(RunBatch(injection, calls));
  for (size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].exists = calls[i].result == 0;
    if (!entries_[i].exists) continue;  // deleted by an exchange that came halfway
    std::memcpy(&entries_[i].setting.emplace(), calls[i].data.data(), sizeof(itimerspec));
  }
  return {};
}

// Whether there are other ones than before.
Result<bool> TimerExchange::FindWaiting(TracedProcess& process) {
  bool changed = false;
  for (Entry& entry : entries_) {
    MCR_ASSIGN(auto waiting, FindSignal(process, entry.change.before));
    // The one of a timer that is not there any more is remembered.
    if (!waiting && entry.setting && !entry.exists) continue;
    changed |= waiting.has_value() != entry.waiting.has_value();
    entry.waiting = std::move(waiting);
  }
  return changed;
}

Result<std::optional<TimerExchange::Waiting>> TimerExchange::FindSignal(TracedProcess& process,
                                                                        const Timer& timer) {
  for (const auto& task : process.tasks) {
    const bool own = timer.notify == SIGEV_THREAD_ID;
    if (own && task->tid() != timer.thread) continue;
    const SignalQueue queue = own ? SignalQueue::kThread : SignalQueue::kProcess;
    MCR_ASSIGN(const std::vector<siginfo_t> signals, tracer::PtracePeekSignals(task->tid(), queue));
    for (const siginfo_t& signal : signals) {
      if (signal.si_code != SI_TIMER || signal.si_timerid != timer.id) continue;
      return std::optional(Waiting{signal, queue});
    }
    break;  // all threads of a process see the same queue
  }
  return std::optional<Waiting>();
}

}  // namespace mcr::checkpoint
