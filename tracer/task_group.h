// A server's processes and threads, attached: the tree below one process, as far as it executes the
// same program (program_tree.h).
//
// Attaching is race-free: threads and processes that appear meanwhile are found (PTRACE_O_TRACE*
// reports those made after the attachment, a rescan of /proc until nothing new finds the others).
// Destroying a group detaches from everything that is still attached; the tasks run on.
#ifndef MCR_TRACER_TASK_GROUP_H_
#define MCR_TRACER_TASK_GROUP_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "tracer/attached_task.h"
#include "tracer/program_tree.h"
#include "tracer/task.h"

namespace mcr::tracer {

class Workspace;

// One process of the tree: a thread group.
struct TracedProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  std::vector<std::unique_ptr<Task>> tasks;  // the main thread first
  std::shared_ptr<const Workspace>
      workspace;  // nullptr: injected code makes pages as it needs them

  Task& main() const { return *tasks.front(); }
};

struct AttachOptions {
  bool kill_with_tracer = false;  // PTRACE_O_EXITKILL: for processes that must not outlive us
  bool report_seccomp = false;    // PTRACE_EVENT_SECCOMP stops
  bool report_births = false;     // fork, vfork and clone stops of the parent; else passed over
  bool other_programs = false;    // processes that execute another program than the root, too
  bool root_only = false;         // not even those that execute the same, nor any that it forks
};

class TaskGroup {
 public:
  // Attaches to `root`, its descendants, and all of their threads. They go on running. One that
  // executes another program later is let go.
  static Result<TaskGroup> Attach(pid_t root, const AttachOptions& options = {});

  // Attaches to exactly these processes again, all of whose threads are known to be held stopped by
  // something else (a frozen cgroup, Hold), and leaves them in a ptrace stop.
  static Result<TaskGroup> Reattach(const std::vector<pid_t>& pids);

  TaskGroup(TaskGroup&&) noexcept;
  TaskGroup& operator=(TaskGroup&&) noexcept;
  ~TaskGroup();

  // The root first, parents before children. Tasks that have died stay until RemoveDead.
  std::vector<TracedProcess>& processes() { return processes_; }
  const std::vector<TracedProcess>& processes() const { return processes_; }
  TracedProcess* Find(pid_t pid);

  // Waits for at most `timeout` until a task of the group stops or dies, and updates that task.
  // Processes and threads that were born meanwhile are in the group when it returns; the first stop
  // of each is reported as kInterrupt. nullptr: time is up.
  Result<Task*> WaitAny(std::chrono::microseconds timeout);

  // With every task stopped: attaches to threads and processes born of a call that was under way
  // when their parent was attached to, which no event has told of. True if there were any; they
  // run.
  Result<bool> AttachStrays();

  // Stops every task wherever it is (PTRACE_INTERRUPT), strays included, and drops the dead ones.
  Status InterruptAll(std::chrono::milliseconds timeout);

  // Resumes every stopped task.
  Status ContinueAll();

  // With every task stopped: puts each process into a group stop, which outlives us. Its threads
  // still run when they are resumed by us; but should we die, whatever they are doing then, the
  // kernel stops them before they come to execute anything of their own. What else sees of it: the
  // parent of the root gets SIGCHLD.
  Status Hold();
  // Ends that for those that are. Nothing runs before it is detached or resumed.
  Status Release();
  bool IsHeld(const TracedProcess& process) const;
  bool IsHeld() const;  // all of them

  // Forgets tasks that have died, and processes without tasks. Pointers to them become invalid.
  void RemoveDead();

  // Lets every task go: registers are as the tasks say (SetRegisters writes through), signals that
  // were held back are delivered. Fails only if a task could not be detached; it names the task.
  Status DetachAll();

 private:
  TaskGroup() = default;

  Status AttachTree(pid_t root);
  Result<std::vector<pid_t>> ListTree(pid_t root) const;
  bool Belongs(pid_t pid) const { return !program_ || program_->Executes(pid); }
  void LeaveAlone(AttachedTask& task);
  Status StopAll(std::chrono::milliseconds timeout);
  // Attaches to what is not attached yet of one process; true if there was something.
  Result<bool> AttachProcess(pid_t pid);
  Result<bool> AttachThread(pid_t pid, pid_t tid);
  Status DrainWhileAttaching();

  void Add(std::unique_ptr<AttachedTask> task);
  void SetHeld(bool held);
  AttachedTask* MainOf(const TracedProcess& process) const;
  int DepthOf(const TracedProcess& process);  // below the root
  std::map<int, std::vector<AttachedTask*>> MainsByDepth();
  bool IsParent(pid_t pid) const;
  // The task that a fork, vfork or clone stop of `parent` speaks of.
  Status AddBorn(AttachedTask& parent);
  // Does what a stop asks for; true if the caller of WaitAny is to see it.
  Result<bool> Handle(AttachedTask& task);
  void EndOtherThreads(const AttachedTask& survivor);
  Result<AttachedTask*> PollAll();
  Result<AttachedTask*> WaitForTask(std::chrono::microseconds timeout);
  Result<bool> DetachIfStopped(AttachedTask& task);
  // Detaches from what has stopped; returns how many tasks are still to stop.
  size_t DetachRound(Status& failure);
  std::string FirstRunning() const;  // names it; "" if there is none

  uint64_t options_ = 0;  // PTRACE_O_*
  bool report_births_ = false;
  bool held_ = false;
  std::optional<ProgramTree> program_;  // without: every process of the tree belongs to the group
  std::vector<TracedProcess> processes_;
  std::vector<AttachedTask*> tasks_;  // all of processes_[].tasks
  size_t next_poll_ = 0;              // where PollAll goes on, so that no task is starved
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_TASK_GROUP_H_
