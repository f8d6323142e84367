#include "tracer/quiesce/quiesce.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "mcr/base/system_call.h"
#include "tracer/quiesce/call_sites.h"
#include "tracer/quiesce/point_match.h"
#include "tracer/quiesce/restart.h"
#include "tracer/quiesce/thread_examiner.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"

namespace mcr::tracer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A busy thread sleeps sooner or later, if only for a moment.
constexpr int kPrepareLooks = 20;
constexpr microseconds kPrepareInterval{500};
// A thread that has not come to its breakpoint by then may enter its call elsewhere.
constexpr milliseconds kBreakpointPatience{10};
// Nothing happens for as long: then those that are missing may wait for one that has arrived.
constexpr milliseconds kStillness{2};
// As long again, and everybody may be the one. Doubled each time: a server that is let on takes on
// new work, too.
constexpr milliseconds kLongStillness{16};
// For one that is let on to do what it is waited for.
constexpr milliseconds kLeave{1};
constexpr milliseconds kInterruptTimeout{500};

// Intel SDM volume 3, 18.3.1.1: the processor ignores a breakpoint at the next instruction.
constexpr uint64_t kResumeFlag = uint64_t{1} << 16;

std::string Where(const Task& task) {
  return "PID " + std::to_string(task.pid()) + " thread " + std::to_string(task.tid());
}

// One pause being brought about.
class Assembly {
 public:
  Assembly(TaskGroup& group, ThreadExaminer& examiner, const CallSites& sites, bool breakpoints)
      : group_(group), examiner_(examiner), sites_(sites), use_breakpoints_(breakpoints) {}

  // Until every thread has arrived, or an error.
  Status Gather(Clock::time_point deadline);
  // All have arrived: gives them the registers with which they will go on.
  Result<std::vector<QuiescentThread>> Finish();
  // Lets all run on; tells which thread was missing and where it is.
  std::string Disband();

 private:
  Status Begin();
  Status OnStop(Task& task);
  // At an entry to a system call: makes the thread stand before it.
  Status StepBack(Task& task, const QuiescentThread& thread);
  Status SendOn(Task& task);
  Status InterruptRunning();
  // Whether all that are missing sleep: for a client, or until one that has arrived does something.
  bool IsStalled() const;
  // One that was woken on its way to its point, or in it, is idle no more: others may wait for its
  // answer, for a lock that it is to take and release, for its leaving a condition variable. Lets
  // those run on, or everybody; true if there were any.
  Result<bool> GrantLeave(bool everybody);
  Status LetOn(Task& task);
  const Task* FirstMissing() const;
  bool HasArrived(const Task& task) const;
  Status Release(Task& task);

  TaskGroup& group_;
  ThreadExaminer& examiner_;
  const CallSites& sites_;
  std::map<const Task*, QuiescentThread> arrived_;
  std::set<const Task*> unfiltered_;  // on the way out of StepBack
  bool use_breakpoints_;
  bool on_leave_ = false;
};

bool Assembly::HasArrived(const Task& task) const {
  return task.state() == RunState::kDead ||
         (task.state() == RunState::kStopped && arrived_.contains(&task));
}

const Task* Assembly::FirstMissing() const {
  for (const TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      if (!HasArrived(*task)) return task.get();
    }
  }
  return nullptr;
}

Status Assembly::Begin() {
  for (TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      if (task->state() == RunState::kRunning) MCR_TRY(task->Interrupt());
      if (task->state() == RunState::kStopped) MCR_TRY(OnStop(*task));
    }
  }
  return {};
}

Status Assembly::Gather(Clock::time_point deadline) {
  const Clock::time_point began = Clock::now();
  milliseconds interval = kBreakpointPatience, long_stillness = kLongStillness;
  Clock::time_point recall = began + interval, still_since = began;
  MCR_TRY(Begin());
  while (true) {
    if (FirstMissing() == nullptr) {
      MCR_ASSIGN(const bool strays, group_.AttachStrays());
      if (!strays) return {};
      MCR_TRY(InterruptRunning());
    }
    const Clock::time_point now = Clock::now();
    if (now >= deadline) return Fail("not all threads reached a quiescent point in time");
    // Again and again: the stop that answers an interrupt may be another one, of a signal or an
    // event, and the thread sleeps in its point after it.
    if (now >= recall) {
      use_breakpoints_ = use_breakpoints_ && now < began + kBreakpointPatience;
      on_leave_ = false;
      interval *= 2;  // one that works for its point must come to do so
      recall = now + interval;
      MCR_TRY(InterruptRunning());
    }
    const auto until = std::min({recall, deadline, now + kStillness});
    MCR_ASSIGN(Task* const task,
               group_.WaitAny(std::chrono::duration_cast<microseconds>(until - now)));
    if (task != nullptr) {
      still_since = Clock::now();
      MCR_TRY(OnStop(*task));
    } else if (IsStalled()) {
      const bool everybody = Clock::now() - still_since >= long_stillness;
      if (everybody) long_stillness *= 2;
      MCR_ASSIGN(on_leave_, GrantLeave(everybody));
      if (on_leave_) recall = Clock::now() + kLeave;
    }
  }
}

bool Assembly::IsStalled() const {
  if (on_leave_) return false;
  const ProcFs proc;
  for (const TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      if (HasArrived(*task)) continue;
      const auto status = proc.ReadThreadStatus(task->pid(), task->tid());
      if (status && status->state == 'R') return false;
    }
  }
  return true;
}

Result<bool> Assembly::GrantLeave(bool everybody) {
  bool any = false;
  for (TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      const auto arrived = arrived_.find(task.get());
      if (arrived == arrived_.end() || task->state() != RunState::kStopped) continue;
      if (!everybody && !examiner_.IsWoken(arrived->second)) continue;
      arrived_.erase(arrived);
      MCR_TRY(LetOn(*task));
      any = true;
    }
  }
  return any;
}

// Past the breakpoint at which it may stand, which catches it when it comes the next time. Not to
// the next system call: that would be the one that it has not entered yet.
Status Assembly::LetOn(Task& task) {
  const std::optional<CallSite> site = sites_.Find(task.pid(), task.tid());
  if (use_breakpoints_ && site) (void)task.SetBreakpoint(site->instruction).has_value();
  MCR_TRY(HideStop(task));
  MCR_ASSIGN(Registers registers, task.GetRegisters());
  registers.eflags |= kResumeFlag;
  MCR_TRY(task.SetRegisters(registers));
  return task.Continue();
}

Status Assembly::OnStop(Task& task) {
  if (unfiltered_.erase(&task) > 0 && task.state() == RunState::kStopped) {
    MCR_TRY(task.SuspendSeccomp(false));
  }
  switch (task.stop_reason()) {
    case StopReason::kNone:  // dead
      return {};
    case StopReason::kGroupStop:
      return Fail("the server is stopped by a job-control signal", Where(task),
                  "resume it with SIGCONT");
    case StopReason::kSignal:
      arrived_.erase(&task);
      return SendOn(task);
    case StopReason::kEvent:
      examiner_.Forget(task.pid());
      return SendOn(task);
    case StopReason::kSystemCall: {
      MCR_ASSIGN(const bool entry, PtraceIsSystemCallEntry(task.tid()));
      if (!entry) return SendOn(task);
      break;
    }
    case StopReason::kInterrupt:
      if (arrived_.contains(&task)) return {};
      break;
    case StopReason::kBreakpoint:
      break;
  }
  MCR_ASSIGN(std::optional<QuiescentThread> thread, examiner_.Examine(task));
  if (!thread) return SendOn(task);
  if (task.stop_reason() == StopReason::kSystemCall) MCR_TRY(StepBack(task, *thread));
  arrived_.insert_or_assign(&task, std::move(*thread));
  return {};
}

// With orig_rax -1 the kernel makes no call, and the interrupt stops the thread on its way out.
// Seccomp filters are asked after us, and end a process for a call of that number.
Status Assembly::StepBack(Task& task, const QuiescentThread& thread) {
  if (IsSandboxed(task)) {
    MCR_TRY(task.SuspendSeccomp(true));
    unfiltered_.insert(&task);
  }
  MCR_TRY(task.SetRegisters(thread.registers));
  MCR_TRY(task.Interrupt());
  return task.Continue();
}

Status Assembly::SendOn(Task& task) {
  MCR_TRY(HideStop(task));
  if (!use_breakpoints_) return task.ContinueToSystemCall();
  const std::optional<CallSite> site = sites_.Find(task.pid(), task.tid());
  // No breakpoint to be had: at each system call, then.
  if (!site || !task.SetBreakpoint(site->instruction)) return task.ContinueToSystemCall();
  return task.Continue();
}

Status Assembly::InterruptRunning() {
  for (TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      if (task->state() == RunState::kRunning) MCR_TRY(task->Interrupt());
    }
  }
  return {};
}

Result<std::vector<QuiescentThread>> Assembly::Finish() {
  group_.RemoveDead();
  std::vector<QuiescentThread> threads;
  for (TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      QuiescentThread& thread = arrived_.at(task.get());
      task->ClearBreakpoint();
      MCR_TRY(task->SetRegisters(thread.registers));
      // A call that swaps the signal mask has to be found as it was before it was entered: with the
      // program's own mask, so that a signal that comes now waits for the call as it would have.
      MCR_ASSIGN(const uint64_t mask, PtraceGetSignalMask(task->tid()));
      MCR_TRY(PtraceSetSignalMask(task->tid(), mask));
      threads.push_back(std::move(thread));
    }
  }
  return threads;
}

Status Assembly::Release(Task& task) {
  if (task.state() != RunState::kStopped) return {};
  task.ClearBreakpoint();
  MCR_TRY(HideStop(task));
  return task.Continue();
}

std::string Assembly::Disband() {
  const Task* missing = FirstMissing();
  const pid_t tid = missing != nullptr ? missing->tid() : 0;
  (void)group_.InterruptAll(kInterruptTimeout).has_value();
  std::string description;
  for (TracedProcess& process : group_.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      if (task->tid() == tid) description = Where(*task) + " is " + examiner_.Describe(*task);
      (void)Release(*task).has_value();  // fails only for one that has been killed
    }
  }
  return description;
}

class ProfileQuiescer : public Quiescer {
 public:
  ProfileQuiescer(const profiles::Profile* profile, QuiesceOptions options,
                  std::unique_ptr<Unwinder> unwinder)
      : options_(std::move(options)),
        calls_(profile != nullptr ? PointCalls(*profile) : std::set<long>()),
        assume_(profile == nullptr),
        examiner_(profile, calls_, options_, sites_, std::move(unwinder)) {}

  Status Prepare(TaskGroup& group) override;
  void LookAhead(pid_t pid, const user_regs_struct& registers) override {
    examiner_.LookAhead(pid, registers);
  }
  Result<std::vector<QuiescentThread>> Quiesce(TaskGroup& group) override;
  const std::vector<std::string>& assumed() const override { return assumed_; }

 private:
  bool LearnSites(const TaskGroup& group);
  void NoteAssumed(const TaskGroup& group);

  QuiesceOptions options_;
  std::set<long> calls_;
  bool assume_;
  CallSites sites_;
  ThreadExaminer examiner_;
  std::vector<std::string> assumed_;
};

bool ProfileQuiescer::LearnSites(const TaskGroup& group) {
  bool all = true;
  for (const TracedProcess& process : group.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      all = sites_.Learn(process, task->tid(), calls_) && all;
    }
  }
  return all;
}

void ProfileQuiescer::NoteAssumed(const TaskGroup& group) {
  for (const TracedProcess& process : group.processes()) {
    for (const std::unique_ptr<Task>& task : process.tasks) {
      const std::optional<CallSite> site = sites_.FindOwn(task->tid());
      const std::string call =
          site ? std::string(BlockingCallName(site->number).value_or("?")) : "any blocking call";
      assumed_.push_back(Where(*task) + ": " + call);
    }
  }
}

Status ProfileQuiescer::Prepare(TaskGroup& group) {
  for (int look = 0; look < kPrepareLooks && !LearnSites(group); ++look) {
    MCR_ASSIGN(Task* const task, group.WaitAny(kPrepareInterval));
    if (task != nullptr && task->state() == RunState::kStopped) MCR_TRY(task->Continue());
  }
  group.RemoveDead();
  for (const TracedProcess& process : group.processes()) {
    const Status prepared = examiner_.Prepare(process.pid);
    if (!prepared && prepared.error().os_error == ESRCH) continue;  // it has ended meanwhile
    MCR_TRY(prepared);
  }
  if (assume_) NoteAssumed(group);
  return {};
}

Result<std::vector<QuiescentThread>> ProfileQuiescer::Quiesce(TaskGroup& group) {
  Assembly assembly(group, examiner_, sites_, options_.breakpoints);
  Status gathered = assembly.Gather(Clock::now() + options_.deadline);
  if (!gathered) {
    Error error = std::move(gathered.error());
    const std::string missing = assembly.Disband();
    if (error.where.empty()) error.where = missing;
    if (error.advice.empty()) {
      error.advice = "try again when the server is less busy, or with a longer --timeout";
    }
    return tl::make_unexpected(std::move(error));
  }
  Result<std::vector<QuiescentThread>> threads = assembly.Finish();
  if (!threads) assembly.Disband();
  return threads;
}

}  // namespace

Result<std::unique_ptr<Quiescer>> Quiescer::Create(const profiles::Profile* profile,
                                                   QuiesceOptions options) {
  MCR_ASSIGN(std::unique_ptr<Unwinder> unwinder, Unwinder::Create());
  return std::make_unique<ProfileQuiescer>(profile, std::move(options), std::move(unwinder));
}

}  // namespace mcr::tracer
