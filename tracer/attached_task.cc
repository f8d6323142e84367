#include "tracer/attached_task.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInterruptTimeout{1000};

std::string Where(pid_t tid) { return "tid " + std::to_string(tid); }

tl::unexpected<Error> FailDead(pid_t tid) {
  errno = ESRCH;
  return FailErrno("the thread has ended", Where(tid));
}

bool IsGroupStop(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

}  // namespace

Result<std::unique_ptr<AttachedTask>> AttachedTask::Seize(pid_t pid, pid_t tid, uint64_t options) {
  MCR_TRY(PtraceSeize(tid, options));
  return Adopt(pid, tid, options);
}

std::unique_ptr<AttachedTask> AttachedTask::Adopt(pid_t pid, pid_t tid, uint64_t options) {
  std::unique_ptr<AttachedTask> task(new AttachedTask(pid, tid, options));
  // Attached, the tid cannot be given to another task before we have waited for this one's death.
  const Result<TaskStat> stat = ProcFs().ReadThreadStat(pid, tid);
  if (stat) task->start_time_ = stat->start_time;
  return task;
}

Status AttachedTask::CheckStopped() const {
  if (state_ == RunState::kDead) return FailDead(tid_);
  if (state_ == RunState::kRunning) return Fail("the thread is running, not stopped", Where(tid_));
  return {};
}

void AttachedTask::MarkDead() {
  state_ = RunState::kDead;
  reason_ = StopReason::kNone;
  pending_signal_ = 0;
  breakpoint_.reset();
}

Result<Registers> AttachedTask::GetRegisters() const {
  MCR_TRY(CheckStopped());
  return PtraceGetRegisters(tid_);
}

Status AttachedTask::SetRegisters(const Registers& registers) {
  MCR_TRY(CheckStopped());
  return PtraceSetRegisters(tid_, registers);
}

Status AttachedTask::ResumeAs(Resume how) {
  MCR_TRY(CheckStopped());
  const int signal = reason_ == StopReason::kSignal ? pending_signal_ : 0;
  const Status resumed = PtraceResume(tid_, how, signal);
  // Killed while it was stopped: it is on its way out, which the next poll finds.
  if (!resumed && resumed.error().os_error != ESRCH) return resumed;
  last_resume_ = how;
  state_ = RunState::kRunning;
  reason_ = StopReason::kNone;
  pending_signal_ = 0;
  event_ = 0;
  return {};
}

Status AttachedTask::Continue() {
  return ResumeAs(reason_ == StopReason::kGroupStop ? Resume::kListen : Resume::kContinue);
}

Status AttachedTask::ContinueToSystemCall() { return ResumeAs(Resume::kSystemCall); }

Status AttachedTask::Interrupt() {
  if (state_ == RunState::kDead) return FailDead(tid_);
  MCR_TRY(PtraceInterrupt(tid_));
  interrupt_asked_ = true;
  interrupt_stale_ = false;
  return {};
}

Status AttachedTask::SetBreakpoint(Addr at) {
  if (breakpoint_ && breakpoint_->at() == at) return {};
  breakpoint_.reset();
  MCR_ASSIGN(breakpoint_, Breakpoint::Set(tid_, at));
  return {};
}

void AttachedTask::ClearBreakpoint() { breakpoint_.reset(); }

// A hit that comes late, after the instruction or the breakpoint's end, is a signal that nobody
// gets.
Status AttachedTask::TakeOverSignal(int signal) {
  reason_ = StopReason::kSignal;
  pending_signal_ = signal;
  if (!Breakpoint::IsHit(signal)) return {};
  MCR_ASSIGN(const siginfo_t info, PtraceGetSignalInfo(tid_));
  if (!Breakpoint::IsHit(info)) return {};
  pending_signal_ = 0;
  if (!breakpoint_) return {};
  MCR_ASSIGN(const Registers registers, PtraceGetRegisters(tid_));
  if (Addr(registers.rip) == breakpoint_->at()) reason_ = StopReason::kBreakpoint;
  return {};
}

Status AttachedTask::TakeOver(const WaitStatus& status) {
  if (status.IsDeath()) {
    MarkDead();
    return {};
  }
  state_ = RunState::kStopped;
  event_ = 0;
  pending_signal_ = 0;
  switch (status.kind) {
    case WaitStatus::Kind::kSystemCall:
      reason_ = StopReason::kSystemCall;
      return {};
    case WaitStatus::Kind::kSignal:
      return TakeOverSignal(status.signal);
    case WaitStatus::Kind::kEvent:
      if (status.event == PTRACE_EVENT_STOP) {
        in_group_stop_ = IsGroupStop(status.signal);
        reason_ = in_group_stop_ && !held_ ? StopReason::kGroupStop : StopReason::kInterrupt;
      } else {
        reason_ = StopReason::kEvent;
        event_ = status.event;
      }
      return {};
    default:
      return {};
  }
}

Result<bool> AttachedTask::Poll() {
  if (state_ != RunState::kRunning) return false;
  MCR_ASSIGN(const std::optional<WaitStatus> status, PollTask(tid_));
  if (!status) return false;
  const Status taken = TakeOver(*status);
  // Killed between the stop and our look at it: the next poll finds its death.
  if (!taken && taken.error().os_error == ESRCH) {
    state_ = RunState::kRunning;
    return false;
  }
  MCR_TRY(taken);
  if (state_ == RunState::kDead) return true;
  if (reason_ == StopReason::kInterrupt) {
    const bool stale = interrupt_stale_ && !interrupt_asked_;
    interrupt_asked_ = interrupt_stale_ = false;
    if (stale) {
      MCR_TRY(ResumeAs(last_resume_));
      return false;
    }
  } else if (reason_ == StopReason::kGroupStop) {
    interrupt_asked_ = interrupt_stale_ = false;  // the same kind of stop serves both
  } else if (interrupt_asked_) {
    interrupt_asked_ = false;
    interrupt_stale_ = true;
  }
  return true;
}

Status AttachedTask::WaitForStop(milliseconds timeout) {
  const ChildSignalGuard guard;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (state_ == RunState::kRunning) {
    MCR_ASSIGN(const bool changed, Poll());
    if (changed) break;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) {
      return Fail("the thread did not stop in " + std::to_string(timeout.count()) + " ms",
                  Where(tid_));
    }
    WaitForChildSignal(std::chrono::duration_cast<std::chrono::microseconds>(left));
  }
  return {};
}

Result<std::optional<WaitStatus>> AttachedTask::AwaitStop(milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    MCR_ASSIGN(const std::optional<WaitStatus> status, PollTask(tid_));
    if (status && status->IsDeath()) {
      MarkDead();
      return FailDead(tid_);
    }
    if (status) return status;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return std::optional<WaitStatus>();
    WaitForChildSignal(std::chrono::duration_cast<std::chrono::microseconds>(left));
  }
}

Result<WaitStatus> AttachedTask::RunToStop(Resume how, milliseconds timeout) {
  MCR_TRY(CheckStopped());
  const ChildSignalGuard guard;
  MCR_TRY(PtraceResume(tid_, how, 0));
  MCR_ASSIGN(std::optional<WaitStatus> status, AwaitStop(timeout));
  if (status) return *status;
  // Stopped again, so that its registers can be put back.
  MCR_TRY(PtraceInterrupt(tid_));
  MCR_ASSIGN(status, AwaitStop(kInterruptTimeout));
  if (!status) state_ = RunState::kRunning;
  return Fail(
      "code that was run in the thread did not end in " + std::to_string(timeout.count()) + " ms",
      Where(tid_));
}

Status AttachedTask::SendOwnSignal(int signal) {
  MCR_TRY(CheckStopped());
  if (syscall(SYS_tgkill, pid_, tid_, signal) != 0) return FailErrno("cannot signal", Where(tid_));
  MCR_ASSIGN(own_mask_, PtraceGetSignalMask(tid_));
  MCR_TRY(PtraceSetSignalMask(tid_, kOurSignalMask));
  // From whatever stop this is, signals are looked at first.
  return PtraceResume(tid_, Resume::kContinue, 0);
}

Status AttachedTask::AwaitOwnSignal(int signal) {
  const ChildSignalGuard guard;
  while (true) {
    MCR_ASSIGN(const std::optional<WaitStatus> status, AwaitStop(kInterruptTimeout));
    if (!status) return Fail("the thread does not take a signal", Where(tid_));
    if (status->kind == WaitStatus::Kind::kSignal && status->signal == signal) return {};
    MCR_TRY(PtraceResume(tid_, Resume::kContinue, 0));
  }
}

Status AttachedTask::BeginGroupStop() {
  MCR_TRY(AwaitOwnSignal(SIGSTOP));
  return PtraceResume(tid_, Resume::kContinue, SIGSTOP);
}

Status AttachedTask::AwaitGroupStop() {
  const ChildSignalGuard guard;
  MCR_ASSIGN(const std::optional<WaitStatus> status, AwaitStop(kInterruptTimeout));
  if (!status) return Fail("the thread does not enter a group stop", Where(tid_));
  in_group_stop_ = true;
  return PtraceSetSignalMask(tid_, own_mask_);
}

Status AttachedTask::EndGroupStop() {
  in_group_stop_ = false;
  MCR_TRY(AwaitOwnSignal(SIGCONT));
  return PtraceSetSignalMask(tid_, own_mask_);
}

// It is blocked in all that was done since the children were stopped, and comes before a SIGSTOP
// that is for the process, too, because of its number (kernel/signal.c, dequeue_signal). That keeps
// the process stopped if we die here. One signal may speak for several children: if one has ended,
// the process gets it.
Status AttachedTask::DropChildSignal() {
  const ChildSignalGuard guard;
  MCR_TRY(CheckStopped());
  MCR_ASSIGN(const uint64_t mask, PtraceGetSignalMask(tid_));
  MCR_TRY(PtraceSetSignalMask(tid_, kOurSignalMask & ~SignalBit(SIGCHLD)));
  if (kill(pid_, SIGSTOP) != 0) return FailErrno("cannot signal", Where(tid_));
  bool told = false, of_more = false;
  while (true) {
    MCR_TRY(PtraceResume(tid_, Resume::kContinue, 0));
    MCR_ASSIGN(const std::optional<WaitStatus> status, AwaitStop(kInterruptTimeout));
    if (!status) return Fail("the thread does not take a signal", Where(tid_));
    if (status->kind != WaitStatus::Kind::kSignal) continue;
    if (status->signal == SIGSTOP) break;
    if (status->signal != SIGCHLD) continue;
    MCR_ASSIGN(const siginfo_t info, PtraceGetSignalInfo(tid_));
    told = true;
    of_more = info.si_code != CLD_STOPPED && info.si_code != CLD_CONTINUED;
  }
  MCR_TRY(PtraceSetSignalMask(tid_, mask));
  MCR_ASSIGN(const bool ended, HasDeadChild());
  if (told && (of_more || ended)) kill(pid_, SIGCHLD);
  return {};
}

Result<bool> AttachedTask::HasDeadChild() const {
  MCR_ASSIGN(const std::vector<pid_t> children, ProcFs().Children(pid_));
  return std::ranges::any_of(children, [](pid_t child) {
    const auto status = ProcFs().ReadStatus(child);
    return status && status->state == 'Z';
  });
}

bool AttachedTask::PassOverEvent() {
  event_ = 0;
  reason_ = StopReason::kInterrupt;
  return interrupt_stale_;
}

Status AttachedTask::SuspendSeccomp(bool suspended) {
  MCR_TRY(CheckStopped());
  return PtraceSetOptions(tid_, options_ | (suspended ? PTRACE_O_SUSPEND_SECCOMP : 0));
}

Status AttachedTask::Detach() {
  MCR_TRY(CheckStopped());
  ClearBreakpoint();
  MCR_TRY(PtraceDetach(tid_, reason_ == StopReason::kSignal ? pending_signal_ : 0));
  MarkDead();
  return {};
}

}  // namespace mcr::tracer
