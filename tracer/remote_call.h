// System calls and code executed by a stopped thread of the server on our behalf.
//
// While an Injection is open, the thread's seccomp filters are suspended, its signals are blocked
// (but those that its own faults raise) and its registers are ours; closing it puts back exactly
// what was there: registers, extended registers, signal mask, a signal that was about to be
// delivered. Without a workspace, the calls run at an executable address of the process that
// holds a `syscall` instruction already, so that no code page is written.
//
// No stop on the way is one for SIGTRAP: should we die in that, the process would die of it. What
// the kernel does with the other kinds then leaves the thread where it is if its process is held
// (TaskGroup::Hold).
//
// The kernel deals with an interrupted system call on the way out of the stop, by orig_rax and rax.
// An injection ends in a stop on that same way, so that a call that was to be restarted still is.
#ifndef MCR_TRACER_REMOTE_CALL_H_
#define MCR_TRACER_REMOTE_CALL_H_

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/sys/memory.h"
#include "tracer/task.h"
#include "tracer/task_group.h"
#include "tracer/workspace.h"

namespace mcr::tracer {

// A copy for us of a descriptor of the process (pidfd_getfd(2)).
Result<OwnedFd> FetchFd(pid_t pid, int fd);

class Injection {
 public:
  // `process`: all its tasks are stopped, and outlive the injection. The main thread is the one
  // that makes the calls.
  static Result<std::unique_ptr<Injection>> Open(TracedProcess& process);
  // The same, by another thread of it.
  static Result<std::unique_ptr<Injection>> Open(TracedProcess& process, Task& task);
  // By the main thread, with this for site().
  static Result<std::unique_ptr<Injection>> OpenAt(TracedProcess& process, Addr site);

  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;
  ~Injection();  // Close(), errors ignored
  Status Close();

  // The system call's result. An error return (-4095..-1) becomes an Error with os_error set, whose
  // `what` names the call. At most six arguments.
  Result<uint64_t> Call(long number, std::initializer_list<uint64_t> arguments);

  // Calls a function of the process by the C calling convention (at most six integer arguments) on
  // its stack below the red zone; returns rax. Used for the server's own allocator.
  Result<uint64_t> CallFunction(Addr function, std::initializer_list<uint64_t> arguments);

  // A page of the process for arguments and results: the workspace's, zero again when the injection
  // is closed; or one that is made on first use (anonymous private mapping, read and write), and is
  // gone then.
  Result<Addr> Scratch();
  static constexpr uint64_t kScratchSize = 4096;  // bytes

  // `code` (position-independent), run from its first byte until it stops its own thread (as all of
  // arch/injected/code.S does at its ends); returns rbp there. The arguments are in rdi, rsi, rdx,
  // rcx, r8, r9, as for a function. A routine of AllCode (arch/injected/code.h) is run where the
  // workspace has it; other code is copied to pages that are unmapped again. Fails, with the
  // registers put back, if the code faults.
  Result<uint64_t> Run(std::span<const std::byte> code, std::initializer_list<uint64_t> arguments);

  // Gives the process a copy of our descriptor `fd` (SCM_RIGHTS over a socket pair that the process
  // makes and we fetch with pidfd_getfd: needs no path, no permission of the process, works across
  // mount namespaces). Returns its number there (close-on-exec); the caller closes it there.
  Result<int> SendFd(int fd);

  LiveMemory& memory() { return memory_; }
  Addr site() const { return site_; }  // the `syscall` instruction for calls without a workspace

 private:
  Injection(Task& task, LiveMemory memory, Addr site, std::shared_ptr<const Workspace> workspace)
      : task_(task), memory_(std::move(memory)), site_(site), workspace_(std::move(workspace)) {}

  static Result<std::unique_ptr<Injection>> OpenAt(TracedProcess& process, Task& task,
                                                   LiveMemory memory, Addr site);
  Result<uint64_t> CallIn(Addr code, Registers registers);
  Result<uint64_t> CallAt(Addr site, Registers registers);
  Status SaveState();
  Status RemoveScratch();
  Status SaveExtendedState();
  Status Start(const Registers& registers);
  // Runs the thread until it stops at a system call, or, for kSignal, by a SIGSTOP of our own.
  Result<Registers> RunTo(WaitStatus::Kind kind, Resume how);
  Result<Registers> RunToOwnStop();
  bool IsOwnStop(const WaitStatus& stop);
  Status CheckFault(const WaitStatus& stop);
  Status SendStop();
  Result<Registers> RunCode(Addr at, std::initializer_list<uint64_t> arguments, uint64_t rsp);
  Result<Addr> MapCode(std::span<const std::byte> code);
  // What was sent to the second of the two sockets, which are closed then.
  Result<int> ReceiveFd(const std::array<int, 2>& pair);

  Task& task_;
  LiveMemory memory_;
  Addr site_;
  std::shared_ptr<const Workspace> workspace_;  // nullptr: there is none
  bool open_ = false;
  bool ran_ = false;
  bool stop_asked_ = false;
  bool sandboxed_ = false;  // its seccomp filters are suspended
  Registers saved_ = {};
  uint64_t saved_mask_ = 0;
  std::optional<siginfo_t> saved_signal_;
  std::optional<std::vector<std::byte>> saved_extended_;
  Addr scratch_;
  Addr return_trap_;  // a page of ours that stops the thread: where functions return to
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REMOTE_CALL_H_
