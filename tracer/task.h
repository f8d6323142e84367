// One attached thread.
//
// A task is tid + start time (procfs `starttime`, in clock ticks), so that a tid that the kernel
// gave out again is not taken for the old one. A tracee's death is a value: calls on a dead task
// fail with os_error ESRCH. All calls come from the thread that attached.
#ifndef MCR_TRACER_TASK_H_
#define MCR_TRACER_TASK_H_

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <chrono>
#include <cstdint>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "tracer/sys/ptrace.h"
#include "tracer/sys/wait.h"

namespace mcr::tracer {

using Registers = user_regs_struct;

enum class RunState {
  kRunning,
  kStopped,  // in a ptrace stop of ours: registers may be read and written
  kDead,
};

// Why a task stopped.
enum class StopReason {
  kNone,
  kInterrupt,   // PTRACE_INTERRUPT, or the first stop of a new thread or process
  kSignal,      // a signal is about to be delivered: Task::pending_signal
  kBreakpoint,  // a hardware breakpoint set with SetBreakpoint
  kSystemCall,  // entry or exit of a system call after ContinueToSystemCall
  kEvent,       // Task::event: exec; birth or seccomp if the group was asked to report them
  kGroupStop,   // the server was stopped by a job-control signal
};

class Task {
 public:
  virtual ~Task() = default;

  virtual pid_t tid() const = 0;
  virtual pid_t pid() const = 0;  // the thread group
  virtual uint64_t start_time() const = 0;
  virtual RunState state() const = 0;
  virtual StopReason stop_reason() const = 0;
  virtual int pending_signal() const = 0;  // 0 if none
  virtual int event() const = 0;           // PTRACE_EVENT_* of a kEvent stop, else 0

  virtual Result<Registers> GetRegisters() const = 0;
  virtual Status SetRegisters(const Registers& registers) = 0;

  // Resumes; a pending signal is delivered.
  virtual Status Continue() = 0;
  virtual Status ContinueToSystemCall() = 0;
  // Asks a running task to stop; the stop is reported by TaskGroup::WaitAny.
  virtual Status Interrupt() = 0;

  // Stops the task before it executes the instruction at `at` (breakpoint.h). One per task.
  virtual Status SetBreakpoint(Addr at) = 0;
  virtual void ClearBreakpoint() = 0;

  // Whether the task's seccomp filters apply (PTRACE_O_SUSPEND_SECCOMP of ptrace(2)): a sandboxed
  // process may not make the calls that an update needs, and would be killed for trying. Only while
  // it is traced.
  virtual Status SuspendSeccomp(bool suspended) = 0;

  // For code that runs in the task on our behalf: resumes a stopped task without its pending signal
  // and waits for its next stop, whatever it is. stop_reason and pending_signal stay what they
  // were.
  virtual Result<WaitStatus> RunToStop(Resume how, std::chrono::milliseconds timeout) = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_TASK_H_
