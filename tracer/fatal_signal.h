// Waits for a signal that is about to end a traced process because of what it has done: what leaves
// a core file, and has neither a handler nor is ignored (signal(7)).
//
// Not seen: a SIGKILL, which no tracer is told of; the end that a seccomp filter brings about
// (kernel/signal.c, HANDLER_EXIT); a process that ends by itself, whatever its status.
#ifndef MCR_TRACER_FATAL_SIGNAL_H_
#define MCR_TRACER_FATAL_SIGNAL_H_

#include <sys/types.h>

#include <chrono>
#include <optional>

#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

struct FatalSignal {
  pid_t pid = 0;
  pid_t tid = 0;
  int signal = 0;
  std::chrono::milliseconds after{0};  // the wait began
};

// Lets the tasks run, which they do already or are stopped for, and passes on whatever happens to
// them, for as long as `time`: nullopt then. A process whose program is none of the group's first
// process's may end as it likes. Afterwards the task that the signal is for is stopped before it,
// and the others run.
Result<std::optional<FatalSignal>> AwaitFatalSignal(TaskGroup& group,
                                                    std::chrono::milliseconds time);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_FATAL_SIGNAL_H_
