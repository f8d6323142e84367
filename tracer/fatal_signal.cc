#include "tracer/fatal_signal.h"

#include <signal.h>

#include <algorithm>
#include <string>

#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"
#include "tracer/task.h"

namespace mcr::tracer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr uint64_t kCoreSignals = kFaultSignals | SignalBit(SIGABRT);

// The kernel takes the handler away before it reports a fault that cannot be handled.
bool IsFatal(const Task& task, const std::string& program) {
  if (task.state() != RunState::kStopped || task.stop_reason() != StopReason::kSignal) return false;
  const uint64_t bit = SignalBit(task.pending_signal());
  if ((bit & kCoreSignals) == 0) return false;
  const ProcFs procfs;
  const auto status = procfs.ReadThreadStatus(task.pid(), task.tid());
  if (!status || ((status->caught_signals | status->ignored_signals) & bit) != 0) return false;
  const auto executable = procfs.ReadLink(task.pid(), "exe");
  return executable && *executable == program;
}

}  // namespace

Result<std::optional<FatalSignal>> AwaitFatalSignal(TaskGroup& group,
                                                    std::chrono::milliseconds time) {
  MCR_ASSIGN(const std::string program, ProcFs().ReadLink(group.processes().front().pid, "exe"));
  const Clock::time_point began = Clock::now();
  MCR_TRY(group.ContinueAll());
  while (true) {
    const auto left = began + time - Clock::now();
    MCR_ASSIGN(
        Task* const task,
        group.WaitAny(std::max(microseconds(0), std::chrono::duration_cast<microseconds>(left))));
    if (task == nullptr) return std::optional<FatalSignal>();
    if (IsFatal(*task, program)) {
      return FatalSignal{
          .pid = task->pid(),
          .tid = task->tid(),
          .signal = task->pending_signal(),
          .after = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began)};
    }
    if (task->state() == RunState::kStopped) MCR_TRY(task->Continue());
    group.RemoveDead();
    if (group.processes().empty()) return std::optional<FatalSignal>();
  }
}

}  // namespace mcr::tracer
