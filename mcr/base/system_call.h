// Names of the system calls in which servers block, and back. x86-64 numbers from
// <asm/unistd_64.h>.
#ifndef MCR_BASE_SYSTEM_CALL_H_
#define MCR_BASE_SYSTEM_CALL_H_

#include <sys/syscall.h>

#include <array>
#include <optional>
#include <string_view>

namespace mcr {

struct BlockingCall {
  long number;
  std::string_view name;
};

inline constexpr BlockingCall kBlockingCalls[] = {
    {SYS_accept, "accept"},
    {SYS_accept4, "accept4"},
    {SYS_clock_nanosleep, "clock_nanosleep"},
    {SYS_connect, "connect"},
    {SYS_epoll_pwait, "epoll_pwait"},
    {SYS_epoll_pwait2, "epoll_pwait2"},
    {SYS_epoll_wait, "epoll_wait"},
    {SYS_fcntl, "fcntl"},
    {SYS_flock, "flock"},
    {SYS_futex, "futex"},
    {SYS_io_getevents, "io_getevents"},
    {SYS_nanosleep, "nanosleep"},
    {SYS_pause, "pause"},
    {SYS_poll, "poll"},
    {SYS_ppoll, "ppoll"},
    {SYS_pselect6, "pselect6"},
    {SYS_read, "read"},
    {SYS_readv, "readv"},
    {SYS_recvfrom, "recvfrom"},
    {SYS_recvmsg, "recvmsg"},
    {SYS_rt_sigsuspend, "rt_sigsuspend"},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait"},
    {SYS_select, "select"},
    {SYS_semop, "semop"},
    {SYS_semtimedop, "semtimedop"},
    {SYS_sendfile, "sendfile"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_sendto, "sendto"},
    {SYS_wait4, "wait4"},
    {SYS_waitid, "waitid"},
    {SYS_write, "write"},
    {SYS_writev, "writev"},
};

constexpr std::optional<long> BlockingCallNumber(std::string_view name) {
  for (const BlockingCall& call : kBlockingCalls) {
    if (call.name == name) return call.number;
  }
  return std::nullopt;
}

constexpr std::optional<std::string_view> BlockingCallName(long number) {
  for (const BlockingCall& call : kBlockingCalls) {
    if (call.number == number) return call.name;
  }
  return std::nullopt;
}

}  // namespace mcr

#endif  // MCR_BASE_SYSTEM_CALL_H_
