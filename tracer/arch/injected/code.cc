#include "tracer/arch/injected/code.h"

#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// The assembler source has these as numbers.
static_assert((CLONE_NEWUSER | CLONE_UNTRACED | CLONE_VFORK | CLONE_VM) == 0x10804100);
static_assert((CLONE_UNTRACED | CLONE_VFORK | CLONE_VM) == 0x804100);
static_assert((CLONE_UNTRACED | SIGCHLD) == 0x800011);
static_assert(SYS_read == 0 && SYS_exit_group == 231 && SYS_close_range == 436);
static_assert(__WALL == 0x40000000 && PR_SET_MM == 35 && PR_SET_MM_MAP == 14);
static_assert(SYS_getpid == 39 && SYS_gettid == 186 && SYS_tgkill == 234 && SIGSTOP == 19);
static_assert(SYS_epoll_ctl == 233 && EPOLL_CTL_DEL == 2);
static_assert(SYS_eventfd2 == 290 && EFD_CLOEXEC == 0x80000);
static_assert(SYS_madvise == 28 && MADV_DOFORK == 11 && SYS_close == 3);
static_assert(SYS_clone == 56 && SYS_exit == 60 && SYS_wait4 == 61 && SYS_prctl == 157);

extern "C" {
extern const std::byte mcr_injected_begin[];
extern const std::byte mcr_injected_end[];
extern const std::byte mcr_injected_batch[];
extern const std::byte mcr_injected_batch_end[];
extern const std::byte mcr_injected_set_mm_map[];
extern const std::byte mcr_injected_set_mm_map_end[];
extern const std::byte mcr_injected_twin[];
extern const std::byte mcr_injected_twin_end[];
extern const std::byte mcr_injected_call_functions[];
extern const std::byte mcr_injected_call_functions_end[];
extern const std::byte mcr_injected_call[];
extern const std::byte mcr_injected_call_end[];
extern const std::byte mcr_injected_stop[];
extern const std::byte mcr_injected_stop_end[];
extern const std::byte mcr_injected_find_epoll_sets[];
extern const std::byte mcr_injected_find_epoll_sets_end[];
}

namespace mcr::tracer {

std::span<const std::byte> AllCode() { return {mcr_injected_begin, mcr_injected_end}; }

std::span<const std::byte> CallCode() { return {mcr_injected_call, mcr_injected_call_end}; }

std::span<const std::byte> BatchCode() { return {mcr_injected_batch, mcr_injected_batch_end}; }

std::span<const std::byte> SetMmMapCode() {
  return {mcr_injected_set_mm_map, mcr_injected_set_mm_map_end};
}

std::span<const std::byte> TwinCode() { return {mcr_injected_twin, mcr_injected_twin_end}; }

std::span<const std::byte> CallFunctionsCode() {
  return {mcr_injected_call_functions, mcr_injected_call_functions_end};
}

std::span<const std::byte> EndCode() { return {mcr_injected_stop, mcr_injected_stop_end}; }

std::span<const std::byte> FindEpollSetsCode() {
  return {mcr_injected_find_epoll_sets, mcr_injected_find_epoll_sets_end};
}

}  // namespace mcr::tracer
