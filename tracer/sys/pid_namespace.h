// The tasks of a PID namespace that a process of ours is PID 1 of, seen through the /proc that it
// has mounted: only its own tasks are listed there, so looking costs nothing on a busy host.
#ifndef MCR_TRACER_SYS_PID_NAMESPACE_H_
#define MCR_TRACER_SYS_PID_NAMESPACE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "tracer/sys/procfs.h"

namespace mcr::tracer {

// What a task is doing at the moment. PIDs are the namespace's.
struct TaskActivity {
  pid_t pid = 0;
  pid_t tid = 0;
  pid_t parent = 0;
  uint64_t start_time = 0;  // clock ticks since boot
  std::string name;         // comm
  char state = '?';         // proc_pid_stat(5)
  long system_call = -1;    // that it blocks in; -1: none
  Addr stack_pointer;       // null unless blocked
  uint64_t switches = 0;    // how often it has given up the processor by itself

  bool operator==(const TaskActivity&) const = default;
};

class PidNamespace {
 public:
  // `init`: PID 1 of the namespace, as we see it; it must have mounted a /proc of the namespace.
  static Result<PidNamespace> Open(pid_t init);

  // All tasks but those of PID 1, zombies left out, sorted by tid.
  Result<std::vector<TaskActivity>> Tasks() const;

  // The PID in our namespace of the process that has `inner` in this one.
  Result<pid_t> OuterPid(pid_t inner) const;

 private:
  PidNamespace(ProcFs inside, std::string identity)
      : inside_(std::move(inside)), identity_(std::move(identity)) {}

  ProcFs inside_;
  std::string identity_;  // "pid:[4026532198]"
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PID_NAMESPACE_H_
