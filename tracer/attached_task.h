// A Task that the kernel traces for us. TaskGroup makes these.
#ifndef MCR_TRACER_ATTACHED_TASK_H_
#define MCR_TRACER_ATTACHED_TASK_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "tracer/breakpoint.h"
#include "tracer/sys/ptrace.h"
#include "tracer/sys/wait.h"
#include "tracer/task.h"

namespace mcr::tracer {

class AttachedTask : public Task {
 public:
  // Attaches; the task runs on. ESRCH if there is no such thread, or it has exited.
  static Result<std::unique_ptr<AttachedTask>> Seize(pid_t pid, pid_t tid, uint64_t options);
  // For one that the kernel attached at its birth (PTRACE_O_TRACECLONE …).
  static std::unique_ptr<AttachedTask> Adopt(pid_t pid, pid_t tid, uint64_t options);

  // Destroying a task does not detach it: that needs a stop, which TaskGroup brings about.
  ~AttachedTask() override = default;

  pid_t tid() const override { return tid_; }
  pid_t pid() const override { return pid_; }
  uint64_t start_time() const override { return start_time_; }
  RunState state() const override { return state_; }
  StopReason stop_reason() const override { return reason_; }
  int pending_signal() const override { return pending_signal_; }
  int event() const override { return event_; }

  Result<Registers> GetRegisters() const override;
  Status SetRegisters(const Registers& registers) override;
  Status Continue() override;
  Status ContinueToSystemCall() override;
  Status Interrupt() override;
  Status SetBreakpoint(Addr at) override;
  void ClearBreakpoint() override;
  Status SuspendSeccomp(bool suspended) override;
  Result<WaitStatus> RunToStop(Resume how, std::chrono::milliseconds timeout) override;

  // Looks, without waiting, whether a running task has stopped or died, and takes over what it
  // finds. True if so. Stops that nobody asked for (any more) are passed over.
  Result<bool> Poll();
  // Waits for the task to stop or die.
  Status WaitForStop(std::chrono::milliseconds timeout);
  bool interrupt_asked() const { return interrupt_asked_; }
  // An interrupt was asked for and the stop that came was another one: whether the kernel has
  // dropped the interrupt or still holds it cannot be told.
  bool interrupt_may_linger() const { return interrupt_stale_; }
  // Turns an event stop that the group has dealt with into an ordinary one. True if an interrupt
  // was asked for, which this stop then answers: the kernel drops an interrupt for any stop that it
  // meets.
  bool PassOverEvent();
  // Lets a stopped task go, with its pending signal and without breakpoint.
  Status Detach();

  // For the main thread of a process all of whose threads are stopped by us: TaskGroup::Hold and
  // TaskGroup::Release. The first step of each resumes the thread, the next wait for it.
  Status SendOwnSignal(int signal);  // which it gets before it executes anything
  Status BeginGroupStop();           // it gets SIGSTOP, and takes it
  Status AwaitGroupStop();
  Status EndGroupStop();  // it gets SIGCONT, and is spared it
  // In a group stop: spares it the signal that its children were stopped and continued.
  Status DropChildSignal();
  // Whether the process is in a group stop of ours, by which its stops look like those of job
  // control.
  void set_held(bool held) { held_ = held; }
  // Whether the present stop showed that the process is in a group stop.
  bool in_group_stop() const { return in_group_stop_; }

  void MarkDead();

 private:
  AttachedTask(pid_t pid, pid_t tid, uint64_t options) : pid_(pid), tid_(tid), options_(options) {}

  Status ResumeAs(Resume how);
  Result<std::optional<WaitStatus>> AwaitStop(std::chrono::milliseconds timeout);
  // Until that is about to be delivered.
  Status AwaitOwnSignal(int signal);
  Result<bool> HasDeadChild() const;
  Status TakeOver(const WaitStatus& status);
  Status TakeOverSignal(int signal);
  Status CheckStopped() const;

  const pid_t pid_;
  const pid_t tid_;
  const uint64_t options_;  // PTRACE_O_*
  uint64_t start_time_ = 0;
  RunState state_ = RunState::kRunning;
  StopReason reason_ = StopReason::kNone;
  int pending_signal_ = 0;
  int event_ = 0;
  // Interrupts asked for and not seen yet. One that meets a task which has just stopped for another
  // reason makes it stop a second time, after it was resumed.
  bool interrupt_asked_ = false;
  bool interrupt_stale_ = false;
  bool held_ = false;
  bool in_group_stop_ = false;
  uint64_t own_mask_ = 0;  // of signals, while ours is set
  Resume last_resume_ = Resume::kContinue;
  std::optional<Breakpoint> breakpoint_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_ATTACHED_TASK_H_
