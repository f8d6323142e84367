#include "tracer/quiesce/restart.h"

#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "mcr/base/system_call.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/syscall_site.h"

namespace mcr::tracer {
namespace {

// include/linux/errno.h of the kernel; seen by tracers only.
constexpr int64_t kRestartSys = 512;        // restarted, unless a handler without SA_RESTART runs
constexpr int64_t kRestartNoIntr = 513;     // restarted always
constexpr int64_t kRestartNoHandler = 514;  // restarted, unless a handler runs
constexpr int64_t kRestartBlock = 516;      // restarted by restart_syscall, with the time left
constexpr uint64_t kSyscallSize = kSyscallInstruction.size();

enum class Limit {
  kNone,          // waits until it gets what it waits for
  kMilliseconds,  // an int argument; negative: no limit
  kTimePointer,   // a struct timespec; null: no limit
};

enum class EndedBySignal {
  kAlways,     // EINTR after any handler
  kByHandler,  // EINTR after a handler that was installed without SA_RESTART
};

using ArgumentRegister = unsigned long long Registers::*;

// One line per call of kBlockingCalls that can be entered anew.
struct CallRule {
  long number;
  Limit limit;
  ArgumentRegister argument;
  EndedBySignal ended;
};

constexpr CallRule kRules[] = {
    {SYS_accept, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_accept4, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_epoll_pwait, Limit::kMilliseconds, &Registers::r10, EndedBySignal::kAlways},
    {SYS_epoll_pwait2, Limit::kTimePointer, &Registers::r10, EndedBySignal::kAlways},
    {SYS_epoll_wait, Limit::kMilliseconds, &Registers::r10, EndedBySignal::kAlways},
    {SYS_flock, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_futex, Limit::kTimePointer, &Registers::r10, EndedBySignal::kByHandler},
    {SYS_io_getevents, Limit::kTimePointer, &Registers::r8, EndedBySignal::kAlways},
    {SYS_pause, Limit::kNone, nullptr, EndedBySignal::kAlways},
    {SYS_poll, Limit::kMilliseconds, &Registers::rdx, EndedBySignal::kAlways},
    {SYS_ppoll, Limit::kTimePointer, &Registers::rdx, EndedBySignal::kAlways},
    {SYS_pselect6, Limit::kTimePointer, &Registers::r8, EndedBySignal::kAlways},
    {SYS_read, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_readv, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_recvfrom, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_recvmsg, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_rt_sigsuspend, Limit::kNone, nullptr, EndedBySignal::kAlways},
    {SYS_rt_sigtimedwait, Limit::kTimePointer, &Registers::rdx, EndedBySignal::kAlways},
    {SYS_select, Limit::kTimePointer, &Registers::r8, EndedBySignal::kAlways},
    {SYS_semop, Limit::kNone, nullptr, EndedBySignal::kAlways},
    {SYS_semtimedop, Limit::kTimePointer, &Registers::r10, EndedBySignal::kAlways},
    {SYS_sendfile, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_wait4, Limit::kNone, nullptr, EndedBySignal::kByHandler},
    {SYS_waitid, Limit::kNone, nullptr, EndedBySignal::kByHandler},
};

const CallRule* FindRule(long number) {
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules),
                                  [&](const CallRule& rule) { return rule.number == number; });
  return rule == std::end(kRules) ? nullptr : rule;
}

Registers Rewound(Registers registers, long number) {
  registers.rip -= kSyscallSize;
  registers.rax = static_cast<uint64_t>(number);
  registers.orig_rax = ~uint64_t{0};
  return registers;
}

Registers Ended(Registers registers) {
  registers.orig_rax = ~uint64_t{0};
  return registers;
}

// As the kernel has it between an interruption and the restart.
Status HandBack(Task& task, const LiveMemory& memory) {
  MCR_ASSIGN(Registers registers, task.GetRegisters());
  if (static_cast<int64_t>(registers.orig_rax) >= 0) return {};
  const CallRule* rule = FindRule(static_cast<long>(registers.rax));
  if (rule == nullptr) return {};
  const auto code = memory.ReadValue<std::array<std::byte, 2>>(Addr(registers.rip));
  if (!code || *code != kSyscallInstruction) return {};
  registers.orig_rax = registers.rax;
  registers.rip += kSyscallSize;
  const bool always = rule->ended == EndedBySignal::kAlways;
  registers.rax = static_cast<uint64_t>(-(always ? kRestartNoHandler : kRestartSys));
  return task.SetRegisters(registers);
}

}  // namespace

bool WaitsForever(long number, const Registers& registers) {
  const CallRule* rule = FindRule(number);
  if (rule == nullptr) return false;
  switch (rule->limit) {
    case Limit::kNone:
      return true;
    case Limit::kMilliseconds:
      return static_cast<int32_t>(registers.*rule->argument) < 0;
    case Limit::kTimePointer:
      return registers.*rule->argument == 0;
  }
  return false;
}

std::optional<InterruptedCall> InterpretStop(const Registers& registers) {
  const long number = static_cast<long>(registers.orig_rax);
  if (number < 0) return std::nullopt;
  switch (-static_cast<int64_t>(registers.rax)) {
    case kRestartSys:
    case kRestartNoIntr:
    case kRestartNoHandler:
      // Where such a call has a limit, the kernel has stored the time left where the limit was.
      return InterruptedCall{number, Rewound(registers, number)};
    case kRestartBlock:
      // The kernel remembers when the call is to end; restart_syscall goes by that.
      return InterruptedCall{
          number,
          Rewound(registers, WaitsForever(number, registers) ? number : SYS_restart_syscall)};
    case EINTR:
      if (WaitsForever(number, registers)) {
        return InterruptedCall{number, Rewound(registers, number)};
      }
      if (!BlockingCallName(number)) return std::nullopt;
      return InterruptedCall{number, Ended(registers)};
    default:
      return std::nullopt;
  }
}

InterruptedCall BeforeEntry(const Registers& registers) {
  const long number = static_cast<long>(registers.orig_rax);
  return {number, Rewound(registers, number)};
}

bool IsSandboxed(const Task& task) {
  const Result<TaskStatus> status = ProcFs().ReadThreadStatus(task.pid(), task.tid());
  return status && status->seccomp != 0;
}

Status HideStop(Task& task) {
  MCR_ASSIGN(Registers registers, task.GetRegisters());
  const long number = static_cast<long>(registers.orig_rax);
  if (number < 0) return {};
  const int64_t result = -static_cast<int64_t>(registers.rax);
  const bool again =
      WaitsForever(number, registers) || (result == kRestartBlock && IsSandboxed(task));
  if (!again || (result != EINTR && result != kRestartBlock)) return {};
  registers.rax = static_cast<uint64_t>(-kRestartNoHandler);
  return task.SetRegisters(registers);
}

Status RestoreInterruptibility(TaskGroup& group) {
  for (TracedProcess& process : group.processes()) {
    MCR_ASSIGN(const LiveMemory memory, LiveMemory::Open(process.pid));
    for (const std::unique_ptr<Task>& task : process.tasks) {
      // From a stop at the exit of a system call the kernel would not look at these registers
      // again.
      if (task->state() != RunState::kStopped || task->stop_reason() == StopReason::kSystemCall) {
        continue;
      }
      MCR_TRY(HandBack(*task, memory));
    }
  }
  return {};
}

}  // namespace mcr::tracer
