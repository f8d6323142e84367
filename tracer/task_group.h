// A server's processes and threads, attached: the whole tree below one process.
//
// Attaching is race-free: threads and processes that appear meanwhile are found (PTRACE_O_TRACE*
// reports those made after the attachment, a rescan of /proc until nothing new finds the others).
// Destroying a group detaches from everything that is still attached; the tasks run on.
#ifndef MCR_TRACER_TASK_GROUP_H_
#define MCR_TRACER_TASK_GROUP_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <vector>

#include "mcr/base/result.h"
#include "tracer/task.h"

namespace mcr::tracer {

// One process of the tree: a thread group.
struct TracedProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  std::vector<std::unique_ptr<Task>> tasks;  // the main thread first

  Task& main() const { return *tasks.front(); }
};

class TaskGroup {
 public:
  // Attaches to `root`, its descendants, and all of their threads. They go on running.
  static Result<TaskGroup> Attach(pid_t root);

  // Attaches to exactly these processes again, all of whose threads are known to be held stopped by
  // something else (a frozen cgroup), and leaves them in a ptrace stop.
  static Result<TaskGroup> Reattach(const std::vector<pid_t>& pids);

  TaskGroup(TaskGroup&&) noexcept;
  TaskGroup& operator=(TaskGroup&&) noexcept;
  ~TaskGroup();

  // The root first, parents before children.
  const std::vector<TracedProcess>& processes() const { return processes_; }
  TracedProcess* Find(pid_t pid);

  // Waits for at most `timeout` until a task of the group stops or dies, and updates that task.
  // Processes and threads that were born meanwhile are in the group when it returns. nullptr: time is up.
  Result<Task*> WaitAny(std::chrono::microseconds timeout);

  // Stops every task wherever it is (PTRACE_INTERRUPT).
  Status InterruptAll(std::chrono::milliseconds timeout);

  // Lets every task go: registers are as the tasks say (SetRegisters writes through), signals that were
  // held back are delivered. Fails only if a task could not be detached; it names the task.
  Status DetachAll();

 private:
  TaskGroup() = default;
  std::vector<TracedProcess> processes_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_TASK_GROUP_H_
