#include "tracer/remote_call.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "mcr/base/fault.h"
#include "mcr/base/mapping.h"
#include "mcr/base/system_call.h"
#include "tracer/arch/injected/code.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"
#include "tracer/syscall_site.h"

namespace mcr::tracer {
namespace {

constexpr std::chrono::milliseconds kCallTimeout{10000};
constexpr uint64_t kPageSize = 4096;
constexpr uint64_t kRedZone = 128;  // System V ABI for x86-64, 3.2.2

constexpr uint64_t kHighestError = 4095;

std::string NameOf(long number) {
  const auto name = BlockingCallName(number);
  return name ? std::string(*name) : "system call " + std::to_string(number);
}

using ArgumentRegister = unsigned long long Registers::*;
constexpr std::array<ArgumentRegister, 6> kCallArguments{&Registers::rdi, &Registers::rsi,
                                                         &Registers::rdx, &Registers::r10,
                                                         &Registers::r8,  &Registers::r9};
constexpr std::array<ArgumentRegister, 6> kFunctionArguments{&Registers::rdi, &Registers::rsi,
                                                             &Registers::rdx, &Registers::rcx,
                                                             &Registers::r8,  &Registers::r9};

Status SetArguments(Registers& registers, const std::array<ArgumentRegister, 6>& places,
                    std::initializer_list<uint64_t> arguments) {
  if (arguments.size() > places.size()) return Fail("more than six arguments");
  size_t index = 0;
  for (const uint64_t argument : arguments) registers.*places[index++] = argument;
  return {};
}

}  // namespace

Result<std::unique_ptr<Injection>> Injection::Open(TracedProcess& process) {
  return Open(process, process.main());
}

Result<std::unique_ptr<Injection>> Injection::Open(TracedProcess& process, Task& task) {
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(process.pid));
  Addr site;
  if (process.workspace != nullptr) {
    site = process.workspace->site();
  } else {
    MCR_ASSIGN(const Mappings mappings, ProcFs().ReadMappings(process.pid));
    MCR_ASSIGN(site, FindSyscallSite(memory, mappings));
  }
  return OpenAt(process, task, std::move(memory), site);
}

Result<std::unique_ptr<Injection>> Injection::OpenAt(TracedProcess& process, Addr site) {
  MCR_ASSIGN(LiveMemory memory, LiveMemory::Open(process.pid));
  return OpenAt(process, process.main(), std::move(memory), site);
}

Result<std::unique_ptr<Injection>> Injection::OpenAt(TracedProcess& process, Task& task,
                                                     LiveMemory memory, Addr site) {
  std::unique_ptr<Injection> injection(
      new Injection(task, std::move(memory), site, process.workspace));
  MCR_TRY(injection->SaveState());
  return injection;
}

Status Injection::SaveState() {
  if (task_.stop_reason() == StopReason::kGroupStop) {
    return Fail("the server is stopped by a job-control signal",
                "PID " + std::to_string(task_.pid()), "resume it with SIGCONT");
  }
  MCR_ASSIGN(const TaskStatus status, ProcFs().ReadThreadStatus(task_.pid(), task_.tid()));
  sandboxed_ = status.seccomp != 0;
  MCR_ASSIGN(saved_, task_.GetRegisters());
  MCR_ASSIGN(saved_mask_, PtraceGetSignalMask(task_.tid()));
  if (task_.pending_signal() != 0) {
    MCR_ASSIGN(saved_signal_, PtraceGetSignalInfo(task_.tid()));
  }
  MCR_TRY(PtraceSetSignalMask(task_.tid(), kOurSignalMask));
  open_ = true;
  if (sandboxed_) MCR_TRY(task_.SuspendSeccomp(true));
  return {};
}

Injection::~Injection() { (void)Close().has_value(); }

Status Injection::Close() {
  if (!open_) return {};
  Status status = RemoveScratch();
  if (status && !return_trap_.IsNull()) {
    const auto unmapped = Call(SYS_munmap, {return_trap_.value(), kPageSize});
    if (!unmapped) status = tl::make_unexpected(unmapped.error());
  }
  open_ = false;
  if (task_.state() == RunState::kDead) return status;
  const auto also = [&](Status next) {
    if (status && !next) status = std::move(next);
  };
  if (sandboxed_) also(task_.SuspendSeccomp(false));
  if (saved_extended_) also(PtraceSetExtendedState(task_.tid(), *saved_extended_));
  also(task_.SetRegisters(saved_));
  also(PtraceSetSignalMask(task_.tid(), saved_mask_));
  // The stop in which the signal was to be delivered is over; this one delivers what is put into
  // it.
  if (saved_signal_ && ran_) also(PtraceSetSignalInfo(task_.tid(), *saved_signal_));
  if (stop_asked_) kill(task_.pid(), SIGSTOP);
  return status;
}

// What is left in a workspace would be taken for memory of the program.
Status Injection::RemoveScratch() {
  const Addr page = std::exchange(scratch_, Addr());
  if (page.IsNull()) return {};
  if (workspace_ != nullptr) return memory_.Write(page, std::vector<std::byte>(kScratchSize));
  MCR_TRY(Call(SYS_munmap, {page.value(), kScratchSize}));
  return {};
}

// Whether this stop is the end of our code, or one that we have asked for: other senders' signals
// have another code, or go to the process.
bool Injection::IsOwnStop(const WaitStatus& stop) {
  if (stop.kind != WaitStatus::Kind::kSignal || stop.signal != SIGSTOP) return false;
  const Result<siginfo_t> info = PtraceGetSignalInfo(task_.tid());
  if (info && info->si_code == SI_TKILL) return true;
  // It cannot be blocked; its turn comes when the injection is closed. One that is sent while it is
  // pending, like ours after a call, is lost in it.
  stop_asked_ = true;
  const Result<Registers> now = task_.GetRegisters();
  return now && now->rip == site_.value() + kSyscallInstruction.size();
}

Status Injection::CheckFault(const WaitStatus& stop) {
  if (stop.kind != WaitStatus::Kind::kSignal || (SignalBit(stop.signal) & kFaultSignals) == 0)
    return {};
  MCR_ASSIGN(const Registers after, task_.GetRegisters());
  return Fail("code that was run in the thread ended with " +
                  std::string(sigabbrev_np(stop.signal)) + " at " + Hex(after.rip),
              "tid " + std::to_string(task_.tid()));
}

// Interrupts and births may come in between as well: the thread goes on.
Result<Registers> Injection::RunTo(WaitStatus::Kind kind, Resume how) {
  while (true) {
    MCR_ASSIGN(const WaitStatus stop, task_.RunToStop(how, kCallTimeout));
    const bool own = IsOwnStop(stop);
    if (kind == WaitStatus::Kind::kSignal ? own : stop.kind == kind) return task_.GetRegisters();
    MCR_TRY(CheckFault(stop));
  }
}

Status Injection::Start(const Registers& registers) {
  if (!open_) return Fail("the injection is closed", "tid " + std::to_string(task_.tid()));
  ran_ = true;
  return task_.SetRegisters(registers);
}

Status Injection::SendStop() {
  if (syscall(SYS_tgkill, task_.pid(), task_.tid(), SIGSTOP) != 0) {
    return FailErrno("cannot signal", "tid " + std::to_string(task_.tid()));
  }
  return {};
}

Result<Registers> Injection::RunToOwnStop() {
  return RunTo(WaitStatus::Kind::kSignal, Resume::kContinue);
}

Result<uint64_t> Injection::Call(long number, std::initializer_list<uint64_t> arguments) {
  Registers registers = saved_;
  MCR_TRY(SetArguments(registers, kCallArguments, arguments));
  registers.rax = static_cast<uint64_t>(number);
  registers.orig_rax = ~uint64_t{0};
  const auto there = workspace_ != nullptr ? workspace_->Find(CallCode()) : std::nullopt;
  MCR_ASSIGN(const uint64_t result, there ? CallIn(*there, registers) : CallAt(site_, registers));
  if (-result <= kHighestError && result != 0) {
    errno = static_cast<int>(-result);
    return FailErrno(NameOf(number) + " in the server", "PID " + std::to_string(task_.pid()));
  }
  return result;
}

Result<uint64_t> Injection::CallIn(Addr code, Registers registers) {
  registers.rip = code.value();
  MCR_TRY(Start(registers));
  MCR_TRY(FaultPoint(Fault::kInjectedCall));
  MCR_ASSIGN(const Registers after, RunToOwnStop());
  return after.rbp;
}

// There is a stop in it, at the call's entry, in which a sandboxed process must not lose its
// tracer: the kernel would ask its filters, and end it.
Result<uint64_t> Injection::CallAt(Addr site, Registers registers) {
  registers.rip = site.value();
  MCR_TRY(Start(registers));
  MCR_TRY(FaultPoint(Fault::kInjectedCall));
  // To its entry, and then to a stop by a signal, which comes when it is done: from one at its exit
  // the kernel would not look at the registers again that are put back. A single step would be one
  // stop instead of two, but one for SIGTRAP, of which the process would die if we died in it.
  MCR_TRY(RunTo(WaitStatus::Kind::kSystemCall, Resume::kSystemCall));
  MCR_TRY(SendStop());
  MCR_ASSIGN(const Registers after, RunToOwnStop());
  if (after.rip != site.value() + kSyscallInstruction.size()) {
    return Fail("a system call in the server was interrupted at " + Hex(after.rip),
                "PID " + std::to_string(task_.pid()));
  }
  return after.rax;
}

Result<Addr> Injection::Scratch() {
  if (!scratch_.IsNull()) return scratch_;
  if (workspace_ != nullptr) return scratch_ = workspace_->scratch();
  MCR_ASSIGN(const uint64_t page, Call(SYS_mmap, {0, kScratchSize, PROT_READ | PROT_WRITE,
                                                  MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  scratch_ = Addr(page);
  return scratch_;
}

// Written through /proc/PID/mem, the pages need never be writable and executable at once.
Result<Addr> Injection::MapCode(std::span<const std::byte> code) {
  MCR_ASSIGN(const uint64_t pages, Call(SYS_mmap, {0, code.size(), PROT_READ | PROT_EXEC,
                                                   MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}, 0}));
  const Status written = memory_.Write(Addr(pages), code);
  if (!written) {
    (void)Call(SYS_munmap, {pages, code.size()}).has_value();
    return tl::make_unexpected(written.error());
  }
  return Addr(pages);
}

Status Injection::SaveExtendedState() {
  if (saved_extended_) return {};
  MCR_ASSIGN(saved_extended_, PtraceGetExtendedState(task_.tid()));
  return {};
}

Result<Registers> Injection::RunCode(Addr at, std::initializer_list<uint64_t> arguments,
                                     uint64_t rsp) {
  MCR_TRY(SaveExtendedState());
  Registers registers = saved_;
  MCR_TRY(SetArguments(registers, kFunctionArguments, arguments));
  registers.rax = 0;  // for a function with variable arguments: no vector registers are used
  registers.orig_rax = ~uint64_t{0};
  registers.rip = at.value();
  registers.rsp = rsp;
  // Functions save these on the stack, where the server's own values would be found again.
  registers.rbx = registers.rbp = 0;
  registers.r12 = registers.r13 = registers.r14 = registers.r15 = 0;
  constexpr uint64_t kDirectionFlag = 0x400;  // clear on entry to a function, says the ABI
  registers.eflags &= ~kDirectionFlag;
  MCR_TRY(Start(registers));
  MCR_TRY(FaultPoint(Fault::kInjectedCode));
  return RunToOwnStop();
}

Result<uint64_t> Injection::CallFunction(Addr function, std::initializer_list<uint64_t> arguments) {
  if (return_trap_.IsNull()) {
    MCR_ASSIGN(return_trap_, MapCode(EndCode()));
  }
  // The ABI wants the stack aligned to 16 bytes before the return address is pushed.
  const uint64_t rsp = ((saved_.rsp - kRedZone) & ~uint64_t{15}) - 8;
  MCR_TRY(memory_.WriteValue(Addr(rsp), return_trap_.value()));
  MCR_ASSIGN(const Registers after, RunCode(function, arguments, rsp));
  return after.rbp;
}

Result<uint64_t> Injection::Run(std::span<const std::byte> code,
                                std::initializer_list<uint64_t> arguments) {
  const uint64_t rsp = (saved_.rsp - kRedZone) & ~uint64_t{15};
  const auto there = workspace_ != nullptr ? workspace_->Find(code) : std::nullopt;
  if (there) {
    MCR_ASSIGN(const Registers after, RunCode(*there, arguments, rsp));
    return after.rbp;
  }
  MCR_ASSIGN(const Addr pages, MapCode(code));
  const Result<Registers> after = RunCode(pages, arguments, rsp);
  if (task_.state() != RunState::kDead) MCR_TRY(Call(SYS_munmap, {pages.value(), code.size()}));
  MCR_TRY(after);
  return after->rbp;
}

}  // namespace mcr::tracer
