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
constexpr milliseconds kInterruptTimeout{500};

std::string Where(const Task& task) {
  return "PID " + std::to_string(task.pid()) + " thread " + std::to_string(task.tid());
}

// One pause being brought about.
class Assembly {
 public:
  Assembly(TaskGroup& group, ThreadExaminer& examiner, const CallSites& sites)
      : group_(group), examiner_(examiner), sites_(sites) {}

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
  const Task* FirstMissing() const;
  bool HasArrived(const Task& task) const;
  Status Release(Task& task);

  TaskGroup& group_;
  ThreadExaminer& examiner_;
  const CallSites& sites_;
  std::map<const Task*, QuiescentThread> arrived_;
  std::set<const Task*> unfiltered_;  // on the way out of StepBack
  bool use_breakpoints_ = true;
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
  milliseconds pause = kBreakpointPatience;
  Clock::time_point patience = Clock::now() + pause;
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
    if (now >= patience) {
      use_breakpoints_ = false;
      pause *= 2;  // one that works for its point must come to do so
      patience = now + pause;
      MCR_TRY(InterruptRunning());
    }
    const auto until = std::min(patience, deadline);
    MCR_ASSIGN(Task* const task,
               group_.WaitAny(std::chrono::duration_cast<microseconds>(until - now)));
    if (task != nullptr) MCR_TRY(OnStop(*task));
  }
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
  // No debug register to be had (a virtual machine may keep them all): at each system call, then.
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
      MCR_TRY(task->ClearBreakpoint());
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
  MCR_TRY(task.ClearBreakpoint());
  MCR_TRY(HideStop(task));
  return task.Continue();
}

std::string Assembly::Disband() {
  const Task* missing = FirstMissing();
  const pid_t tid = missing != nullptr ? missing->tid() : 0;
  // Only from a stopped thread can a breakpoint be taken away. One that cannot be stopped has none.
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
  Assembly assembly(group, examiner_, sites_);
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
