#include "tracer/breakpoint.h"

#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"

namespace mcr::tracer {
namespace {

std::string Where(pid_t tid) { return "tid " + std::to_string(tid); }

perf_event_attr ExecutionOf(Addr at) {
  perf_event_attr event = {};
  event.type = PERF_TYPE_BREAKPOINT;
  event.size = sizeof(event);
  event.bp_type = HW_BREAKPOINT_X;
  event.bp_addr = at.value();
  event.bp_len = sizeof(long);  // what x86 wants for an instruction of any length
  event.sample_period = 1;
  event.wakeup_events = 1;
  event.exclude_kernel = 1;
  event.exclude_hv = 1;
  return event;
}

Status TellBySignal(const OwnedFd& event, pid_t tid, int signal) {
  const f_owner_ex owner{F_OWNER_TID, tid};
  if (fcntl(event.get(), F_SETSIG, signal) != 0 || fcntl(event.get(), F_SETOWN_EX, &owner) != 0 ||
      fcntl(event.get(), F_SETFL, O_ASYNC | O_NONBLOCK) != 0) {
    return FailErrno("cannot have a breakpoint tell of its hits", Where(tid));
  }
  return {};
}

}  // namespace

Result<Breakpoint> Breakpoint::Set(pid_t tid, Addr at) {
  MCR_ASSIGN(const TaskStatus status, ProcFs().ReadStatus(tid));
  if (((status.caught_signals | status.blocked_signals) & SignalBit(kSignal)) != 0) {
    return Fail("the thread has a use of its own for a breakpoint's signal", Where(tid));
  }
  perf_event_attr attributes = ExecutionOf(at);
  OwnedFd event(static_cast<int>(
      syscall(SYS_perf_event_open, &attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event.valid()) return FailErrno("cannot set a breakpoint", Where(tid));
  MCR_TRY(TellBySignal(event, tid, kSignal));
  return Breakpoint(std::move(event), at);
}

// The kernel's own for urgent data, and other senders', have other codes.
bool Breakpoint::IsHit(const siginfo_t& signal) {
  return signal.si_signo == kSignal && signal.si_code >= POLL_IN && signal.si_code <= POLL_HUP;
}

}  // namespace mcr::tracer
