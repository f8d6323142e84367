#include "tracer/quiesce/restart.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>

#include "tracer/task.h"

namespace mcr::tracer {
namespace {

constexpr int kRestartNoHandler = 514;
constexpr int kRestartBlock = 516;

Registers StoppedIn(long number, int result) {
  Registers registers = {};
  registers.orig_rax = static_cast<uint64_t>(number);
  registers.rax = static_cast<uint64_t>(static_cast<int64_t>(-result));
  registers.rip = 0x1002;
  return registers;
}

TEST(InterpretStop, ACallThatTheKernelWouldRestartIsRewound) {
  const auto call = InterpretStop(StoppedIn(SYS_rt_sigsuspend, kRestartNoHandler));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->number, SYS_rt_sigsuspend);
  EXPECT_EQ(call->registers.rip, 0x1000u);
  EXPECT_EQ(call->registers.rax, static_cast<uint64_t>(SYS_rt_sigsuspend));
  EXPECT_EQ(call->registers.orig_rax, ~0ull);
}

TEST(InterpretStop, ASleepGoesOnWithTheTimeThatIsLeft) {
  const auto call = InterpretStop(StoppedIn(SYS_clock_nanosleep, kRestartBlock));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->number, SYS_clock_nanosleep);
  EXPECT_EQ(call->registers.rip, 0x1000u);
  EXPECT_EQ(call->registers.rax, static_cast<uint64_t>(SYS_restart_syscall));
}

TEST(InterpretStop, AnUnlimitedWaitIsEnteredAnew) {
  Registers registers = StoppedIn(SYS_epoll_wait, EINTR);
  registers.r10 = 0xffffffff;  // -1 as an int
  const auto call = InterpretStop(registers);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->registers.rip, 0x1000u);
  EXPECT_EQ(call->registers.rax, static_cast<uint64_t>(SYS_epoll_wait));
}

TEST(InterpretStop, ALimitedWaitIsSeenToEnd) {
  Registers registers = StoppedIn(SYS_epoll_wait, EINTR);
  registers.r10 = 500;
  const auto call = InterpretStop(registers);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->registers.rip, 0x1002u);
  EXPECT_EQ(call->registers.rax, static_cast<uint64_t>(-EINTR));
  EXPECT_EQ(call->registers.orig_rax, ~0ull);
}

TEST(InterpretStop, AnUnlimitedPollIsNoSleep) {
  Registers registers = StoppedIn(SYS_poll, kRestartBlock);
  registers.rdx = 0xffffffff;
  EXPECT_EQ(InterpretStop(registers)->registers.rax, static_cast<uint64_t>(SYS_poll));
}

TEST(InterpretStop, ACallThatHasEndedIsNone) {
  EXPECT_FALSE(InterpretStop(StoppedIn(SYS_epoll_wait, 0)));
  EXPECT_FALSE(InterpretStop(StoppedIn(SYS_epoll_wait, -3)));
  EXPECT_FALSE(InterpretStop(StoppedIn(SYS_read, EAGAIN)));
}

TEST(InterpretStop, TheProgramsOwnCodeIsNoCall) {
  Registers registers = StoppedIn(SYS_epoll_wait, EINTR);
  registers.orig_rax = ~0ull;
  EXPECT_FALSE(InterpretStop(registers));
}

}  // namespace
}  // namespace mcr::tracer
