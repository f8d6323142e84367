#include "tracer/sys/ptrace.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <cerrno>
#include <string>

namespace mcr::tracer {
namespace {

// Enough for AVX-512 and AMX state.
constexpr size_t kLargestExtendedState = 16384;
constexpr size_t kKernelSignalSetSize = 8;

Status Request(const char* what, __ptrace_request request, pid_t tid, uint64_t address,
               uint64_t data) {
  if (ptrace(request, tid, reinterpret_cast<void*>(address), reinterpret_cast<void*>(data)) < 0) {
    return FailErrno(what, "tid " + std::to_string(tid));
  }
  return {};
}

template <class T>
uint64_t PointerTo(T& value) {
  return reinterpret_cast<uint64_t>(&value);
}

__ptrace_request RequestOf(Resume how) {
  switch (how) {
    case Resume::kContinue:
      return PTRACE_CONT;
    case Resume::kSystemCall:
      return PTRACE_SYSCALL;
    case Resume::kSingleStep:
      return PTRACE_SINGLESTEP;
    case Resume::kListen:
      return PTRACE_LISTEN;
  }
  return PTRACE_CONT;
}

}  // namespace

Status PtraceSeize(pid_t tid, uint64_t options) {
  return Request("cannot attach", PTRACE_SEIZE, tid, 0, options);
}

Status PtraceSetOptions(pid_t tid, uint64_t options) {
  return Request("cannot set tracing options", PTRACE_SETOPTIONS, tid, 0, options);
}

Status PtraceInterrupt(pid_t tid) {
  return Request("cannot interrupt", PTRACE_INTERRUPT, tid, 0, 0);
}

Status PtraceResume(pid_t tid, Resume how, int signal) {
  return Request("cannot resume", RequestOf(how), tid, 0, static_cast<uint64_t>(signal));
}

Status PtraceDetach(pid_t tid, int signal) {
  return Request("cannot detach", PTRACE_DETACH, tid, 0, static_cast<uint64_t>(signal));
}

Result<user_regs_struct> PtraceGetRegisters(pid_t tid) {
  user_regs_struct registers;
  MCR_TRY(Request("cannot read registers", PTRACE_GETREGS, tid, 0, PointerTo(registers)));
  return registers;
}

Status PtraceSetRegisters(pid_t tid, const user_regs_struct& registers) {
  return Request("cannot write registers", PTRACE_SETREGS, tid, 0, PointerTo(registers));
}

Result<std::vector<std::byte>> PtraceGetExtendedState(pid_t tid) {
  std::vector<std::byte> state(kLargestExtendedState);
  iovec vector{state.data(), state.size()};
  MCR_TRY(Request("cannot read extended registers", PTRACE_GETREGSET, tid, NT_X86_XSTATE,
                  PointerTo(vector)));
  state.resize(vector.iov_len);
  return state;
}

Status PtraceSetExtendedState(pid_t tid, const std::vector<std::byte>& state) {
  iovec vector{const_cast<std::byte*>(state.data()), state.size()};
  return Request("cannot write extended registers", PTRACE_SETREGSET, tid, NT_X86_XSTATE,
                 PointerTo(vector));
}

Result<uint64_t> PtraceGetSignalMask(pid_t tid) {
  uint64_t mask = 0;
  MCR_TRY(Request("cannot read the signal mask", PTRACE_GETSIGMASK, tid, kKernelSignalSetSize,
                  PointerTo(mask)));
  return mask;
}

Status PtraceSetSignalMask(pid_t tid, uint64_t mask) {
  return Request("cannot write the signal mask", PTRACE_SETSIGMASK, tid, kKernelSignalSetSize,
                 PointerTo(mask));
}

Result<siginfo_t> PtraceGetSignalInfo(pid_t tid) {
  siginfo_t info;
  MCR_TRY(
      Request("cannot read the signal's information", PTRACE_GETSIGINFO, tid, 0, PointerTo(info)));
  return info;
}

Status PtraceSetSignalInfo(pid_t tid, const siginfo_t& info) {
  return Request("cannot write the signal's information", PTRACE_SETSIGINFO, tid, 0,
                 PointerTo(info));
}

Result<std::vector<siginfo_t>> PtracePeekSignals(pid_t tid, SignalQueue queue) {
  constexpr int kAtOnce = 16;
  std::vector<siginfo_t> signals;
  while (true) {
    __ptrace_peeksiginfo_args arguments = {};
    arguments.off = signals.size();
    arguments.flags = queue == SignalQueue::kProcess ? PTRACE_PEEKSIGINFO_SHARED : 0;
    arguments.nr = kAtOnce;
    siginfo_t some[kAtOnce];
    const long count = ptrace(PTRACE_PEEKSIGINFO, tid, &arguments, some);
    if (count < 0)
      return FailErrno("cannot read the queue of signals", "tid " + std::to_string(tid));
    if (count == 0) return signals;
    signals.insert(signals.end(), some, some + count);
  }
}

Result<uint64_t> PtraceGetEventMessage(pid_t tid) {
  unsigned long message = 0;
  MCR_TRY(Request("cannot read the event", PTRACE_GETEVENTMSG, tid, 0, PointerTo(message)));
  return message;
}

Result<bool> PtraceIsSystemCallEntry(pid_t tid) {
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, reinterpret_cast<void*>(sizeof info), &info) < 0) {
    return FailErrno("cannot read the system call", "tid " + std::to_string(tid));
  }
  return info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

}  // namespace mcr::tracer
