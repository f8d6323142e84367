// ptrace(2), one function per request. Only the thread that attached to a task may ask for
// anything. A task that is gone, or not stopped, is an error with os_error ESRCH.
#ifndef MCR_TRACER_SYS_PTRACE_H_
#define MCR_TRACER_SYS_PTRACE_H_

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

constexpr uint64_t SignalBit(int signal) { return uint64_t{1} << (signal - 1); }
// A signal that the kernel must deliver for a fault loses its handler if it is blocked.
inline constexpr uint64_t kFaultSignals = SignalBit(SIGTRAP) | SignalBit(SIGSEGV) |
                                          SignalBit(SIGBUS) | SignalBit(SIGILL) |
                                          SignalBit(SIGFPE) | SignalBit(SIGSYS);
// What a thread has blocked while it executes something for us: all but these and those by which
// it is stopped and continued. No program has such a mask, so it can be told to be ours.
inline constexpr uint64_t kOurSignalMask =
    ~(kFaultSignals | SignalBit(SIGSTOP) | SignalBit(SIGCONT) | SignalBit(SIGKILL));

enum class Resume {
  kContinue,
  kSystemCall,  // until the next entry to or exit from a system call
  kSingleStep,  // one instruction, a system call included
  kListen,      // stay in a group stop, but report what ends it
};

Status PtraceSeize(pid_t tid, uint64_t options);  // PTRACE_O_*
Status PtraceSetOptions(pid_t tid, uint64_t options);
Status PtraceInterrupt(pid_t tid);
Status PtraceResume(pid_t tid, Resume how, int signal);
Status PtraceDetach(pid_t tid, int signal);

Result<user_regs_struct> PtraceGetRegisters(pid_t tid);
Status PtraceSetRegisters(pid_t tid, const user_regs_struct& registers);

// x87, SSE, AVX and what else the CPU has, in the layout of the XSAVE instruction.
Result<std::vector<std::byte>> PtraceGetExtendedState(pid_t tid);
Status PtraceSetExtendedState(pid_t tid, const std::vector<std::byte>& state);

// In a call that swaps the mask for its duration (rt_sigsuspend, ppoll …) `Get` returns the mask
// that comes back afterwards, and `Set` makes its argument the present mask and ends the swap.
Result<uint64_t> PtraceGetSignalMask(pid_t tid);
Status PtraceSetSignalMask(pid_t tid, uint64_t mask);

Result<siginfo_t> PtraceGetSignalInfo(pid_t tid);
Status PtraceSetSignalInfo(pid_t tid, const siginfo_t& info);
// Signals that wait for the thread alone, or for any thread of its process; none is taken.
enum class SignalQueue { kThread, kProcess };
Result<std::vector<siginfo_t>> PtracePeekSignals(pid_t tid, SignalQueue queue);
Result<uint64_t> PtraceGetEventMessage(pid_t tid);

// In a system call stop: whether the call is about to begin, as opposed to having ended.
Result<bool> PtraceIsSystemCallEntry(pid_t tid);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PTRACE_H_
