// What becomes of a system call that a stop has interrupted (signal(7), "Interruption of system
// calls").
//
// The kernel wakes a blocked thread to stop it. Calls that it can restart end with one of four
// codes that a program never sees; on the way back to the program the kernel then restarts them, or
// ends them with EINTR if a handler runs. The others end with EINTR, stop or signal alike, and that
// the program would see. A table says which of these wait without limit and so can be entered anew.
#ifndef MCR_TRACER_QUIESCE_RESTART_H_
#define MCR_TRACER_QUIESCE_RESTART_H_

#include <sys/user.h>

#include <optional>

#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"
#include "tracer/task.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

struct InterruptedCall {
  long number = 0;  // SYS_restart_syscall if the call had been interrupted once before
  // With which the thread goes on as if it had not been stopped: at its `syscall` instruction, or
  // behind it with EINTR; orig_rax is -1, so that the kernel does nothing to them.
  Registers registers = {};
};

// The blocking call in which a thread was that stopped with these registers; nullopt if it was in
// the program's own code or the call had ended.
std::optional<InterruptedCall> InterpretStop(const Registers& registers);

// The same for a thread that the kernel stopped at the entry of a system call. To go on with these
// registers, the thread must pass through one more stop: the kernel still has the call in its
// hands.
InterruptedCall BeforeEntry(const Registers& registers);

// Whether a call that the kernel ended with EINTR is to be entered anew: it waits without limit.
bool WaitsForever(long number, const Registers& registers);

// Whether seccomp filters apply to a thread. Few of them allow restart_syscall, by which the kernel
// lets a call go on that has a limit: such a thread has to enter its call anew, with the whole
// time.
bool IsSandboxed(const Task& task);

// Lets a thread that was stopped in an unlimited call go on in it, where it would see EINTR, or go
// by the name of restart_syscall, otherwise.
Status HideStop(Task& task);

// Right before a pause ends: a signal with a handler that came during the pause must end the calls
// at whose entry threads stand, as it would have ended them without the pause; a thread that
// entered its call after the handler had run would sleep through what the handler noted. Hands
// these calls back to the kernel, which enters them anew unless it has a handler to run.
Status RestoreInterruptibility(TaskGroup& group);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_QUIESCE_RESTART_H_
