#include "tracer/task_group.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ranges>
#include <utility>

#include "tracer/attachable.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"
#include "tracer/sys/wait.h"

namespace mcr::tracer {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// A task stops within microseconds unless it is in an uninterruptible wait for a disk.
constexpr milliseconds kStopTimeout{2000};
// A fork storm ends with the first scan that attaches faster than it forks.
constexpr int kMaxScans = 1000;

constexpr uint64_t kBaseOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                                  PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

constexpr uint64_t kForks = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;

bool IsBirth(int event) {
  return event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK;
}

bool HasEnded(const Result<TaskStatus>& status) {
  return !status || status->state == 'Z' || status->state == 'X';
}

// A step of each task that has not been killed meanwhile.
template <class Step>
Status Each(const std::vector<AttachedTask*>& tasks, const Step& step) {
  for (AttachedTask* task : tasks) {
    const Status done = step(*task);
    if (!done && done.error().os_error != ESRCH) return done;
  }
  return {};
}

std::string Where(pid_t pid, pid_t tid) {
  return "PID " + std::to_string(pid) + " thread " + std::to_string(tid);
}

microseconds TimeLeft(Clock::time_point deadline) {
  return std::max(microseconds(0),
                  std::chrono::duration_cast<microseconds>(deadline - Clock::now()));
}

}  // namespace

TaskGroup::TaskGroup(TaskGroup&& other) noexcept
    : options_(other.options_),
      report_births_(other.report_births_),
      held_(other.held_),
      program_(other.program_),
      processes_(std::exchange(other.processes_, {})),
      tasks_(std::exchange(other.tasks_, {})) {}

TaskGroup& TaskGroup::operator=(TaskGroup&& other) noexcept {
  if (this == &other) return *this;
  (void)DetachAll().has_value();
  options_ = other.options_;
  report_births_ = other.report_births_;
  held_ = other.held_;
  program_ = other.program_;
  processes_ = std::exchange(other.processes_, {});
  tasks_ = std::exchange(other.tasks_, {});
  next_poll_ = 0;
  return *this;
}

TaskGroup::~TaskGroup() { (void)DetachAll().has_value(); }

Result<TaskGroup> TaskGroup::Attach(pid_t root, const AttachOptions& options) {
  MCR_TRY(CheckAttachable(root));
  TaskGroup group;
  group.report_births_ = options.report_births;
  if (!options.other_programs) {
    MCR_ASSIGN(group.program_, ProgramTree::Of(root, options.root_only));
  }
  group.options_ = (options.root_only ? kBaseOptions & ~kForks : kBaseOptions) |
                   (options.kill_with_tracer ? PTRACE_O_EXITKILL : 0) |
                   (options.report_seccomp ? PTRACE_O_TRACESECCOMP : 0);
  MCR_TRY(group.AttachTree(root));
  return group;
}

Result<TaskGroup> TaskGroup::Reattach(const std::vector<pid_t>& pids) {
  TaskGroup group;
  group.options_ = kBaseOptions;
  group.held_ = true;
  for (const pid_t pid : pids) {
    MCR_ASSIGN(const bool found, group.AttachProcess(pid));
    if (!found) return Fail("the process has ended", "PID " + std::to_string(pid));
  }
  MCR_TRY(group.StopAll(kStopTimeout));
  group.RemoveDead();
  return group;
}

Result<std::vector<pid_t>> TaskGroup::ListTree(pid_t root) const {
  if (program_) return program_->List();
  return ProcFs().Tree(root);
}

Status TaskGroup::AttachTree(pid_t root) {
  // Two scans without anything new: a thread that is not attached yet can make another behind the
  // back of a scan that has passed the place in the listing, but then the next scan finds it.
  int quiet_scans = 0;
  for (int scan = 0; quiet_scans < 2; ++scan) {
    if (scan == kMaxScans) {
      return Fail("the server makes processes or threads faster than they can be attached to",
                  "PID " + std::to_string(root));
    }
    MCR_ASSIGN(const std::vector<pid_t> pids, ListTree(root));
    bool found = false;
    for (const pid_t pid : pids) {
      MCR_ASSIGN(const bool found_here, AttachProcess(pid));
      found = found || found_here;
    }
    MCR_TRY(DrainWhileAttaching());
    quiet_scans = found ? 0 : quiet_scans + 1;
  }
  if (Find(root) == nullptr) return Fail("the process has ended", "PID " + std::to_string(root));
  return {};
}

Result<bool> TaskGroup::AttachProcess(pid_t pid) {
  const ProcFs proc;
  if (HasEnded(proc.ReadStatus(pid))) return false;
  if (Find(pid) == nullptr) {
    // One that the kernel attached for us at its birth shows us as its tracer.
    const Result<TaskStatus> status = proc.ReadStatus(pid);
    if (status && status->tracer != getpid()) {
      Status attachable = CheckAttachable(pid);
      // On its way out it has no address space and so no executable any more.
      const bool ending = !attachable && attachable.error().os_error == ENOENT;
      if (ending || HasEnded(proc.ReadStatus(pid))) return false;
      MCR_TRY(std::move(attachable));
    }
  }
  const Result<std::vector<pid_t>> tids = proc.Threads(pid);
  if (!tids) return false;
  bool found = false;
  for (const pid_t tid : *tids) {
    MCR_ASSIGN(const bool found_here, AttachThread(pid, tid));
    found = found || found_here;
  }
  return found;
}

Result<bool> TaskGroup::AttachThread(pid_t pid, pid_t tid) {
  const auto same = [&](const AttachedTask* task) {
    return task->tid() == tid && task->state() != RunState::kDead;
  };
  if (std::any_of(tasks_.begin(), tasks_.end(), same)) return false;
  Result<std::unique_ptr<AttachedTask>> task = AttachedTask::Seize(pid, tid, options_);
  if (task) {
    Add(std::move(*task));
    return true;
  }
  const Result<TaskStatus> status = ProcFs().ReadThreadStatus(pid, tid);
  if (HasEnded(status)) return false;
  if (status->tracer == getpid()) {
    Add(AttachedTask::Adopt(pid, tid, options_));
    return true;
  }
  Error error = std::move(task.error());
  error.where = Where(pid, tid);
  if (error.os_error == EPERM) error.advice = "run as root, with CAP_SYS_PTRACE";
  return tl::make_unexpected(std::move(error));
}

// New tasks begin stopped and parents stop at a birth; both run on.
Status TaskGroup::DrainWhileAttaching() {
  while (true) {
    MCR_ASSIGN(Task* const task, WaitAny(microseconds(0)));
    if (task == nullptr) return {};
    if (task->state() == RunState::kStopped) MCR_TRY(task->Continue());
  }
}

void TaskGroup::Add(std::unique_ptr<AttachedTask> task) {
  task->set_held(held_);
  tasks_.push_back(task.get());
  if (TracedProcess* process = Find(task->pid())) {
    process->tasks.push_back(std::move(task));
    return;
  }
  TracedProcess process;
  process.pid = task->pid();
  const Result<TaskStatus> status = ProcFs().ReadStatus(process.pid);
  if (status) process.parent = status->parent;
  process.tasks.push_back(std::move(task));
  processes_.push_back(std::move(process));
}

TracedProcess* TaskGroup::Find(pid_t pid) {
  for (TracedProcess& process : processes_) {
    if (process.pid == pid && process.main().state() != RunState::kDead) return &process;
  }
  return nullptr;
}

Status TaskGroup::AddBorn(AttachedTask& parent) {
  const Result<uint64_t> message = PtraceGetEventMessage(parent.tid());
  if (!message) return {};  // killed meanwhile: a scan of the parent's death finds nothing to lose
  const pid_t tid = static_cast<pid_t>(*message);
  const auto same = [&](const AttachedTask* task) {
    return task->tid() == tid && task->state() != RunState::kDead;
  };
  if (std::any_of(tasks_.begin(), tasks_.end(), same)) return {};
  const Result<TaskStatus> status = ProcFs().ReadStatus(tid);
  if (!status) return {};
  Add(AttachedTask::Adopt(status->tgid, tid, options_));
  return {};
}

// execve(2) by a thread ends all others of its process without a death of their own to wait for.
void TaskGroup::EndOtherThreads(const AttachedTask& survivor) {
  for (AttachedTask* task : tasks_) {
    if (task->pid() == survivor.pid() && task != &survivor) task->MarkDead();
  }
}

// For the group it has come to its end.
void TaskGroup::LeaveAlone(AttachedTask& task) {
  if (!task.Detach()) task.MarkDead();  // it has been killed
}

Result<bool> TaskGroup::Handle(AttachedTask& task) {
  if (task.stop_reason() != StopReason::kEvent) return true;
  if (task.event() == PTRACE_EVENT_EXEC) {
    EndOtherThreads(task);
    if (!Belongs(task.pid())) {
      LeaveAlone(task);
      return true;
    }
  }
  if (!IsBirth(task.event())) return true;
  MCR_TRY(AddBorn(task));
  if (report_births_ || task.PassOverEvent()) return true;
  MCR_TRY(task.Continue());
  return false;
}

Result<AttachedTask*> TaskGroup::PollAll() {
  for (size_t polled = 0; polled < tasks_.size(); ++polled) {
    next_poll_ = (next_poll_ + 1) % tasks_.size();
    AttachedTask& task = *tasks_[next_poll_];
    MCR_ASSIGN(const bool changed, task.Poll());
    if (!changed) continue;
    MCR_ASSIGN(const bool report, Handle(task));
    if (report) return &task;
    polled = 0;  // there may be a new task
  }
  return nullptr;
}

Result<Task*> TaskGroup::WaitAny(microseconds timeout) { return WaitForTask(timeout); }

Result<AttachedTask*> TaskGroup::WaitForTask(microseconds timeout) {
  const ChildSignalGuard guard;
  const Clock::time_point deadline = Clock::now() + timeout;
  while (true) {
    MCR_ASSIGN(AttachedTask* const task, PollAll());
    if (task != nullptr) return task;
    const microseconds left = TimeLeft(deadline);
    if (left.count() == 0) return nullptr;
    WaitForChildSignal(left);
  }
}

std::string TaskGroup::FirstRunning() const {
  for (const AttachedTask* task : tasks_) {
    if (task->state() == RunState::kRunning) return Where(task->pid(), task->tid());
  }
  return {};
}

Result<bool> TaskGroup::AttachStrays() {
  bool found = false;
  for (size_t i = 0; i < processes_.size(); ++i) {  // AttachProcess may append
    const pid_t pid = processes_[i].pid;
    if (!Belongs(pid)) continue;  // it has just been let go
    MCR_ASSIGN(const bool threads, AttachProcess(pid));
    found = found || threads;
    const Result<std::vector<pid_t>> children = ProcFs().Children(pid);
    if (!children) continue;  // it has ended
    for (const pid_t child : *children) {
      if (Find(child) != nullptr || !Belongs(child)) continue;
      MCR_ASSIGN(const bool stray, AttachProcess(child));
      found = found || stray;
    }
  }
  return found;
}

Status TaskGroup::InterruptAll(milliseconds timeout) {
  // A child that ends while the kernel lists its siblings can hide one of them
  // (fs/proc/array.c, get_children_pid): one scan without anything new is not enough.
  for (int quiet_scans = 0; quiet_scans < 2;) {
    MCR_TRY(StopAll(timeout));
    MCR_ASSIGN(const bool strays, AttachStrays());
    quiet_scans = strays ? 0 : quiet_scans + 1;
  }
  RemoveDead();
  return {};
}

Status TaskGroup::StopAll(milliseconds timeout) {
  for (AttachedTask* task : tasks_) {
    if (task->state() != RunState::kRunning) continue;
    const Status asked = task->Interrupt();
    if (!asked && asked.error().os_error != ESRCH) return asked;
  }
  const Clock::time_point deadline = Clock::now() + timeout;
  while (!FirstRunning().empty()) {
    MCR_ASSIGN(AttachedTask* const stopped, WaitForTask(TimeLeft(deadline)));
    if (stopped == nullptr) {
      return Fail("the thread cannot be stopped", FirstRunning(),
                  "it may be waiting for a disk or a remote file system");
    }
    // An interrupt asked for during a stop is sure to be held, and to be used up by the next one:
    // no thread is left that would stop by itself after it has been resumed.
    if (stopped->state() == RunState::kStopped && stopped->interrupt_may_linger()) {
      MCR_TRY(stopped->Interrupt());
      MCR_TRY(stopped->Continue());
    }
  }
  return {};
}

void TaskGroup::SetHeld(bool held) {
  held_ = held;
  for (AttachedTask* task : tasks_) task->set_held(held);
}

// nullptr: it has been killed, and needs neither to be held nor to be released.
AttachedTask* TaskGroup::MainOf(const TracedProcess& process) const {
  for (AttachedTask* task : tasks_) {
    if (task->tid() == process.pid && task->state() == RunState::kStopped) return task;
  }
  return nullptr;
}

int TaskGroup::DepthOf(const TracedProcess& process) {
  int depth = 0;
  for (const TracedProcess* at = Find(process.parent); at != nullptr; at = Find(at->parent))
    ++depth;
  return depth;
}

std::map<int, std::vector<AttachedTask*>> TaskGroup::MainsByDepth() {
  std::map<int, std::vector<AttachedTask*>> levels;
  for (const TracedProcess& process : processes_) {
    if (AttachedTask* main = MainOf(process)) levels[DepthOf(process)].push_back(main);
  }
  return levels;
}

// The kernel tells a parent of its child's stop by the signal that it sends for its end, too, and
// one that has a single child may not ask which it is. So a parent is held before its children, and
// let go after them: when it does not get that signal any more.
//
// Those of one depth at once: to wait for each of them in turn takes as many times as long.
Status TaskGroup::Hold() {
  SetHeld(true);
  for (const auto& [depth, mains] : MainsByDepth()) {
    MCR_TRY(Each(mains, [](AttachedTask& main) { return main.SendOwnSignal(SIGSTOP); }));
    MCR_TRY(Each(mains, [](AttachedTask& main) { return main.BeginGroupStop(); }));
    MCR_TRY(Each(mains, [](AttachedTask& main) { return main.AwaitGroupStop(); }));
  }
  return {};
}

Status TaskGroup::Release() {
  auto levels = MainsByDepth();
  for (auto& [depth, mains] : levels | std::views::reverse) {
    std::erase_if(mains, [](const AttachedTask* main) { return !main->in_group_stop(); });
    std::vector<AttachedTask*> parents = mains;
    std::erase_if(parents, [&](const AttachedTask* main) { return !IsParent(main->pid()); });
    MCR_TRY(Each(parents, [](AttachedTask& main) { return main.DropChildSignal(); }));
    MCR_TRY(Each(mains, [](AttachedTask& main) { return main.SendOwnSignal(SIGCONT); }));
    MCR_TRY(Each(mains, [](AttachedTask& main) { return main.EndGroupStop(); }));
  }
  SetHeld(false);
  return {};
}

bool TaskGroup::IsParent(pid_t pid) const {
  return std::ranges::any_of(processes_,
                             [&](const TracedProcess& process) { return process.parent == pid; });
}

bool TaskGroup::IsHeld(const TracedProcess& process) const {
  const AttachedTask* main = MainOf(process);
  return main != nullptr && main->in_group_stop();
}

bool TaskGroup::IsHeld() const {
  return std::ranges::all_of(processes_, [this](const auto& process) { return IsHeld(process); });
}

Status TaskGroup::ContinueAll() {
  for (AttachedTask* task : tasks_) {
    if (task->state() == RunState::kStopped) MCR_TRY(task->Continue());
  }
  return {};
}

void TaskGroup::RemoveDead() {
  const auto dead = [](const auto& task) { return task->state() == RunState::kDead; };
  std::erase_if(tasks_, dead);
  for (TracedProcess& process : processes_) std::erase_if(process.tasks, dead);
  std::erase_if(processes_, [](const TracedProcess& process) { return process.tasks.empty(); });
}

// True if the task is no longer ours to wait for.
Result<bool> TaskGroup::DetachIfStopped(AttachedTask& task) {
  if (task.state() == RunState::kRunning) MCR_TRY(task.Poll());
  if (task.state() == RunState::kRunning) return false;
  if (task.state() == RunState::kDead) return true;
  // The stop may tell of a birth: the new task has to be let go as well.
  if (IsBirth(task.event())) MCR_TRY(AddBorn(task));
  const Status detached = task.Detach();
  if (!detached && detached.error().os_error != ESRCH) {
    return tl::make_unexpected(detached.error());
  }
  return true;
}

size_t TaskGroup::DetachRound(Status& failure) {
  size_t left = 0;
  for (size_t i = 0; i < tasks_.size(); ++i) {  // AddBorn may append
    AttachedTask& task = *tasks_[i];
    if (task.state() == RunState::kRunning && !task.interrupt_asked()) {
      (void)task.Interrupt().has_value();  // fails only for one that is ending
    }
    Result<bool> gone = DetachIfStopped(task);
    if (!gone) {
      failure = tl::make_unexpected(std::move(gone.error()));
      task.MarkDead();
    } else if (!*gone) {
      ++left;
    }
  }
  return left;
}

// Each task goes as soon as it has stopped, whatever the others do: the parent in a vfork(2) cannot
// stop before its child has been let go.
Status TaskGroup::DetachAll() {
  const ChildSignalGuard guard;
  const Clock::time_point deadline = Clock::now() + kStopTimeout;
  Status failure;
  while (DetachRound(failure) > 0) {
    const microseconds left = TimeLeft(deadline);
    if (left.count() == 0) {
      failure = Fail("threads could not be stopped to detach from them", FirstRunning());
      break;
    }
    WaitForChildSignal(left);
  }
  tasks_.clear();
  processes_.clear();
  return failure;
}

}  // namespace mcr::tracer
