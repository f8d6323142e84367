// One attached thread.
//
// A task is tid + start time (procfs `starttime`, in clock ticks), so that a tid that the kernel gave
// out again is not taken for the old one. A tracee's death is a value: calls on a dead task fail with
// os_error ESRCH.
#ifndef MCR_TRACER_TASK_H_
#define MCR_TRACER_TASK_H_

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <cstdint>

#include "mcr/base/address.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

using Registers = user_regs_struct;

enum class RunState {
  kRunning,
  kStopped,      // in a ptrace stop of ours: registers may be read and written
  kDead,
};

// Why a task stopped.
enum class StopReason {
  kNone,
  kInterrupt,    // PTRACE_INTERRUPT, or the first stop of a new thread or process
  kSignal,       // a signal is about to be delivered: Task::pending_signal
  kBreakpoint,   // a hardware breakpoint set with SetBreakpoint
  kEvent,        // fork, vfork, clone, exec: Task::event
  kGroupStop,    // the server was stopped by a job-control signal
};

class Task {
 public:
  virtual ~Task() = default;

  virtual pid_t tid() const = 0;
  virtual pid_t pid() const = 0;  // the thread group
  virtual RunState state() const = 0;
  virtual StopReason stop_reason() const = 0;
  virtual int pending_signal() const = 0;  // 0 if none

  virtual Result<Registers> GetRegisters() const = 0;
  virtual Status SetRegisters(const Registers& registers) = 0;

  // Resumes; a pending signal is delivered.
  virtual Status Continue() = 0;
  // Asks a running task to stop; the stop is reported by TaskGroup::WaitAny.
  virtual Status Interrupt() = 0;

  // Stops the task before it executes the instruction at `at` (debug register 0; nothing is written to
  // the server's memory). One per task.
  virtual Status SetBreakpoint(Addr at) = 0;
  virtual Status ClearBreakpoint() = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_TASK_H_
