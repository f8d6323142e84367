#include "checkpoint/criu/convert.h"

#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <span>
#include <string>

namespace mcr::checkpoint {
namespace {

constexpr uint64_t kPageSize = 4096;

// Of criu::Vma::status.
constexpr uint32_t kVmaVdso = 1 << 3;
constexpr uint32_t kVmaHeap = 1 << 5;
constexpr uint32_t kVmaVvar = 1 << 12;

std::string SpecialName(uint32_t status) {
  if (status & kVmaVdso) return "[vdso]";
  if (status & kVmaVvar) return "[vvar]";
  if (status & kVmaHeap) return "[heap]";
  return "";
}

}  // namespace

user_regs_struct ToRegisters(const criu::X86Registers& from) {
  user_regs_struct to = {};
  to.r15 = from.r15();
  to.r14 = from.r14();
  to.r13 = from.r13();
  to.r12 = from.r12();
  to.rbp = from.bp();
  to.rbx = from.bx();
  to.r11 = from.r11();
  to.r10 = from.r10();
  to.r9 = from.r9();
  to.r8 = from.r8();
  to.rax = from.ax();
  to.rcx = from.cx();
  to.rdx = from.dx();
  to.rsi = from.si();
  to.rdi = from.di();
  to.orig_rax = from.orig_ax();
  to.rip = from.ip();
  to.cs = from.cs();
  to.eflags = from.flags();
  to.rsp = from.sp();
  to.ss = from.ss();
  to.fs_base = from.fs_base();
  to.gs_base = from.gs_base();
  to.ds = from.ds();
  to.es = from.es();
  to.fs = from.fs();
  to.gs = from.gs();
  return to;
}

std::vector<Timer> ToTimers(const criu::Timers& timers) {
  std::vector<Timer> converted;
  for (const criu::Timer& timer : timers.posix()) {
    const int notify = static_cast<int>(timer.it_sigev_notify());
    converted.push_back({.id = static_cast<int>(timer.it_id()),
                         .clock = static_cast<int>(timer.clock_id()),
                         .notify = notify,
                         .thread = notify == SIGEV_THREAD_ID ? timer.notify_thread_id() : 0,
                         .signal = static_cast<int>(timer.si_signo()),
                         .value = timer.sival_ptr()});
  }
  std::ranges::sort(converted, {}, &Timer::id);
  return converted;
}

std::optional<SignalStack> ToSignalStack(pid_t tid, const criu::ThreadCore& core) {
  const criu::SignalStack& stack = core.sas();
  if (!core.has_sas() || (stack.ss_flags() & SS_DISABLE) != 0) return std::nullopt;
  return SignalStack{.tid = tid,
                     .begin = Addr(stack.ss_sp()),
                     .size = stack.ss_size(),
                     .flags = static_cast<int>(stack.ss_flags())};
}

std::vector<SignalHandler> ToSignalHandlers(const criu::TaskCore& core) {
  std::vector<SignalHandler> handlers;
  int signal = 0;
  for (const criu::Sigaction& action : core.sigactions()) {
    ++signal;
    while (signal == SIGKILL || signal == SIGSTOP) ++signal;
    // SIG_DFL and SIG_IGN.
    if (action.sigaction() <= 1) continue;
    handlers.push_back({.signal = signal,
                        .handler = Addr(action.sigaction()),
                        .flags = action.flags(),
                        .restorer = Addr(action.restorer()),
                        .mask = action.mask()});
  }
  return handlers;
}

MemoryLayout ToLayout(const criu::Mm& mm) {
  MemoryLayout layout = {.start_code = Addr(mm.start_code()),
                         .end_code = Addr(mm.end_code()),
                         .start_data = Addr(mm.start_data()),
                         .end_data = Addr(mm.end_data()),
                         .start_brk = Addr(mm.start_brk()),
                         .brk = Addr(mm.brk()),
                         .start_stack = Addr(mm.start_stack()),
                         .arg_start = Addr(mm.arg_start()),
                         .arg_end = Addr(mm.arg_end()),
                         .env_start = Addr(mm.env_start()),
                         .env_end = Addr(mm.env_end()),
                         .auxv = {}};
  for (const uint64_t word : mm.saved_auxv()) {
    const auto bytes = std::as_bytes(std::span(&word, 1));
    layout.auxv.insert(layout.auxv.end(), bytes.begin(), bytes.end());
  }
  return layout;
}

Result<Mapping> ToMapping(const criu::Vma& vma) {
  const auto range = Range<Addr>::FromTo(Addr(vma.start()), Addr(vma.end()));
  if (!range || range->empty() || vma.start() % kPageSize != 0 || vma.end() % kPageSize != 0) {
    return Fail("damaged CRIU image: a mapping is not made of pages", Hex(vma.start()));
  }
  Mapping mapping;
  mapping.range = *range;
  mapping.readable = (vma.prot() & PROT_READ) != 0;
  mapping.writable = (vma.prot() & PROT_WRITE) != 0;
  mapping.executable = (vma.prot() & PROT_EXEC) != 0;
  mapping.shared = (vma.flags() & MAP_SHARED) != 0;
  mapping.file_offset = vma.pgoff();
  mapping.path = SpecialName(vma.status());
  return mapping;
}

}  // namespace mcr::checkpoint
