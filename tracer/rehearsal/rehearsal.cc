#include "tracer/rehearsal/rehearsal.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "tracer/rehearsal/idle.h"
#include "tracer/rehearsal/sandbox.h"
#include "tracer/sys/pid_namespace.h"

namespace mcr::tracer {
namespace {

using namespace std::chrono_literals;
using Clock = IdleDetector::Clock;

constexpr auto kLookEvery = 1ms;
constexpr auto kStopTime = 1s;  // for all tasks to stop, or to be dead

// One start-up, from the first instruction to the freeze.
class Watch {
 public:
  Watch(Sandbox& sandbox, PidNamespace tasks, const RehearsalOptions& options)
      : sandbox_(sandbox),
        tasks_(std::move(tasks)),
        options_(options),
        idle_(IdleCalls(options.profile), options.idle_time) {}

  Result<TaskGroup> UntilFrozen(Clock::time_point deadline) {
    while (Clock::now() < deadline) {
      MCR_TRY(NoteEnded());
      MCR_ASSIGN(const std::vector<TaskActivity> now, tasks_.Tasks());
      if (now.empty() && ended_) return tl::make_unexpected(EndedError(*ended_));
      if (idle_.Observe(now, Clock::now())) {
        MCR_ASSIGN(std::optional<TaskGroup> group, Freeze(now));
        if (group) return *std::move(group);
      }
      std::this_thread::sleep_for(kLookEvery);
    }
    return tl::make_unexpected(LateError());
  }

 private:
  // The program itself may end well (a daemon's first process does). Ending badly is a failed
  // start.
  Status NoteEnded() {
    for (;;) {
      MCR_ASSIGN(const std::optional<Message> message, sandbox_.Poll());
      if (!message) return {};
      const bool bad = !WIFEXITED(message->value) || WEXITSTATUS(message->value) != 0;
      if (message->kind == MessageKind::kExited && bad) {
        return tl::make_unexpected(EndedError(message->value));
      }
      if (!ended_ || bad) ended_ = message->value;
    }
  }

  Error EndedError(int status) const {
    std::string what = "the program ";
    if (WIFSIGNALED(status)) {
      what += std::string("was killed by signal ") + strsignal(WTERMSIG(status));
    } else {
      what += "exited with status " + std::to_string(WEXITSTATUS(status));
    }
    return WithOutput(what + " while it started up in the sandbox");
  }

  Error LateError() const {
    std::string what = "the program was not idle in its sandbox after " +
                       std::to_string(options_.deadline.count()) + " ms";
    const auto now = tasks_.Tasks();
    const std::string busy = now ? idle_.Busy(*now) : "";
    return WithOutput(busy.empty() ? what : what + ": " + busy);
  }

  Error WithOutput(std::string what) const {
    const std::string said = sandbox_.LastOutput();
    if (!said.empty()) what += ": " + said;
    return {.what = std::move(what), .where = options_.program};
  }

  // The program's process that all others come from: itself, or the daemon that it left behind.
  static pid_t RootOf(const std::vector<TaskActivity>& tasks) {
    const TaskActivity* root = nullptr;
    for (const TaskActivity& task : tasks) {
      // A daemon's parent is init. Of several the eldest: helpers that were started by it come
      // later.
      const bool is_top = task.parent == 1 && task.pid == task.tid;
      if (is_top && (root == nullptr || task.start_time < root->start_time)) root = &task;
    }
    return root == nullptr ? tasks.front().pid : root->pid;
  }

  // nullopt: a task woke up in between; everything runs on.
  Result<std::optional<TaskGroup>> Freeze(const std::vector<TaskActivity>& tasks) {
    MCR_ASSIGN(const pid_t root, tasks_.OuterPid(RootOf(tasks)));
    Result<TaskGroup> attached = TaskGroup::Attach(root, {.kill_with_tracer = true, .other_programs = true});
    if (!attached && attached.error().os_error == ESRCH) return std::optional<TaskGroup>();
    MCR_ASSIGN(TaskGroup group, std::move(attached));
    MCR_TRY(group.InterruptAll(std::chrono::duration_cast<std::chrono::milliseconds>(kStopTime)));
    MCR_ASSIGN(const bool stopped_idle, AllInIdleCalls(group));
    if (stopped_idle) return std::optional<TaskGroup>(std::move(group));
    MCR_TRY(group.DetachAll());
    return std::optional<TaskGroup>();
  }

  Result<bool> AllInIdleCalls(const TaskGroup& group) const {
    for (const TracedProcess& process : group.processes()) {
      for (const auto& task : process.tasks) {
        MCR_ASSIGN(const Registers registers, task->GetRegisters());
        if (!idle_.IsIdleCall(static_cast<long>(registers.orig_rax))) return false;
      }
    }
    return true;
  }

  Sandbox& sandbox_;
  PidNamespace tasks_;
  const RehearsalOptions& options_;
  IdleDetector idle_;
  std::optional<int> ended_;  // wait status of a process that has ended; the last bad one, if any
};

class SandboxedRehearsal : public Rehearsal {
 public:
  SandboxedRehearsal(std::unique_ptr<Sandbox> sandbox, const RehearsalOptions& options)
      : sandbox_(std::move(sandbox)),
        options_(options),
        deadline_(Clock::now() + options.deadline) {}

  // A traced process stays a zombie until its tracer has reaped it, and init cannot end before its
  // last process is reaped. So: kill, let the group see all deaths, then wait for init. Killed
  // first, resumed then: no task executes another instruction.
  ~SandboxedRehearsal() override {
    if (!tasks_) return;
    for (const TracedProcess& process : tasks_->processes()) kill(process.pid, SIGKILL);
    sandbox_->Kill();
    const Status resumed = tasks_->ContinueAll();
    if (!resumed) return;
    const auto give_up = Clock::now() + kStopTime;
    while (!AllDead() && Clock::now() < give_up) {
      if (!tasks_->WaitAny(10ms)) break;
    }
  }

  Status Freeze() override {
    MCR_ASSIGN(PidNamespace tasks, PidNamespace::Open(sandbox_->init()));
    MCR_ASSIGN(TaskGroup group,
               Watch(*sandbox_, std::move(tasks), options_).UntilFrozen(deadline_));
    tasks_.emplace(std::move(group));
    return {};
  }

  TaskGroup& tasks() override { return *tasks_; }

 private:
  bool AllDead() const {
    return std::ranges::all_of(tasks_->processes(), [](const TracedProcess& process) {
      return std::ranges::all_of(process.tasks,
                                 [](const auto& task) { return task->state() == RunState::kDead; });
    });
  }

  std::unique_ptr<Sandbox> sandbox_;  // destroyed after the group
  const RehearsalOptions& options_;
  const Clock::time_point deadline_;
  std::optional<TaskGroup> tasks_;
};

}  // namespace

Result<std::unique_ptr<Rehearsal>> Rehearsal::Start(const StartRecord& start,
                                                    const RehearsalOptions& options) {
  MCR_ASSIGN(std::unique_ptr<Sandbox> sandbox,
             Sandbox::Start(start, options.program, options.replacements));
  return std::unique_ptr<Rehearsal>(new SandboxedRehearsal(std::move(sandbox), options));
}

Result<std::unique_ptr<Rehearsal>> Rehearsal::Run(const StartRecord& start,
                                                  const RehearsalOptions& options) {
  MCR_ASSIGN(std::unique_ptr<Rehearsal> rehearsal, Start(start, options));
  MCR_TRY(rehearsal->Freeze());
  return rehearsal;
}

}  // namespace mcr::tracer
