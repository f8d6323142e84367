#include "tracer/remote_call.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tests/targets/target_process.h"
#include "tracer/arch/injected/code.h"
#include "tracer/sys/procfs.h"
#include "tracer/task.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

struct Stopped {
  std::unique_ptr<TargetProcess> target;
  Result<TaskGroup> group = Fail("not attached");

  TracedProcess& process() { return group->processes()[0]; }
};

Stopped Stop(std::unique_ptr<TargetProcess> target) {
  Stopped stopped{std::move(target)};
  stopped.group = TaskGroup::Attach(stopped.target->pid());
  EXPECT_TRUE(stopped.group) << stopped.group.error().Line();
  EXPECT_TRUE(stopped.group->InterruptAll(milliseconds(2000)));
  return stopped;
}

Stopped StopInCall(const std::string& mode, long number) {
  std::unique_ptr<TargetProcess> target = TargetProcess::Start("blocker", {mode});
  EXPECT_EQ(target->ReadLine(), "ready");
  target->AwaitSystemCall(number);
  return Stop(std::move(target));
}

void InjectGetpid(Stopped& stopped) {
  auto injection = Injection::Open(stopped.process());
  ASSERT_TRUE(injection) << injection.error().Line();
  for (int i = 0; i < 3; ++i) {
    const Result<uint64_t> pid = (*injection)->Call(SYS_getpid, {});
    ASSERT_TRUE(pid) << pid.error().Line();
    EXPECT_EQ(*pid, static_cast<uint64_t>(stopped.target->pid()));
  }
  ASSERT_TRUE((*injection)->Close());
}

struct Blocked {
  const char* mode;
  long number;
  const char* after_input;  // what it says after a byte of input; nullptr: it does not wait for any
  const char* after_signal;  // and after a signal with a handler; nullptr: it is restarted
};

class InjectionIntoCall : public ::testing::TestWithParam<Blocked> {};

TEST_P(InjectionIntoCall, TheCallEndsByInputAsEver) {
  if (GetParam().after_input == nullptr) return;
  Stopped stopped = StopInCall(GetParam().mode, GetParam().number);
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  stopped.target->Write("x");
  EXPECT_EQ(stopped.target->ReadLine(), GetParam().after_input);
}

TEST_P(InjectionIntoCall, ASignalDuringTheStopEndsTheCallAsEver) {
  if (GetParam().after_signal == nullptr) return;
  Stopped stopped = StopInCall(GetParam().mode, GetParam().number);
  kill(stopped.target->pid(), SIGUSR1);
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  EXPECT_EQ(stopped.target->ReadLine(), GetParam().after_signal);
}

TEST_P(InjectionIntoCall, ASignalAfterTheStopEndsTheCallAsEver) {
  if (GetParam().after_signal == nullptr) return;
  Stopped stopped = StopInCall(GetParam().mode, GetParam().number);
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  stopped.target->AwaitSystemCall(SYS_restart_syscall, GetParam().number);
  kill(stopped.target->pid(), SIGUSR1);
  EXPECT_EQ(stopped.target->ReadLine(), GetParam().after_signal);
}

TEST_P(InjectionIntoCall, ASignalThatIsAboutToBeDeliveredIsDeliveredAfterwards) {
  if (GetParam().after_signal == nullptr) return;
  std::unique_ptr<TargetProcess> target = TargetProcess::Start("blocker", {GetParam().mode});
  EXPECT_EQ(target->ReadLine(), "ready");
  target->AwaitSystemCall(GetParam().number);
  Stopped stopped{std::move(target)};
  stopped.group = TaskGroup::Attach(stopped.target->pid());
  ASSERT_TRUE(stopped.group);
  kill(stopped.target->pid(), SIGUSR1);
  const auto task = stopped.group->WaitAny(milliseconds(2000));
  ASSERT_TRUE(task && *task != nullptr);
  ASSERT_EQ((*task)->pending_signal(), SIGUSR1);
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  EXPECT_EQ(stopped.target->ReadLine(), GetParam().after_signal);
}

INSTANTIATE_TEST_SUITE_P(
    Calls, InjectionIntoCall,
    ::testing::Values(
        // poll, nanosleep: the kernel goes on with the time that was left, and says EINTR on
        // signals.
        Blocked{"read", SYS_read, "1 ok signals 0 mask same early", nullptr},
        Blocked{"poll", SYS_poll, "1 ok signals 0 mask same early",
                "-1 EINTR signals 1 mask same early"},
        Blocked{"poll_300", SYS_poll, "1 ok signals 0 mask same early",
                "-1 EINTR signals 1 mask same early"},
        Blocked{"nanosleep", SYS_clock_nanosleep, nullptr, "-1 EINTR signals 1 mask same early"},
        Blocked{"sigsuspend", SYS_rt_sigsuspend, nullptr, "-1 EINTR signals 1 mask same early"}),
    [](const auto& info) { return std::string(info.param.mode); });

TEST(InjectionTest, ASleepLastsAsLongAsItWould) {
  Stopped stopped = StopInCall("nanosleep", SYS_clock_nanosleep);
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  EXPECT_EQ(stopped.target->ReadLine(), "0 ok signals 0 mask same late");
}

TEST(InjectionTest, PutsBackAllRegisters) {
  Stopped stopped = StopInCall("read", SYS_read);
  const Registers before = *stopped.process().main().GetRegisters();
  InjectGetpid(stopped);
  const Registers after = *stopped.process().main().GetRegisters();
  EXPECT_EQ(memcmp(&before, &after, sizeof before), 0);
}

TEST(InjectionTest, AnErrorOfTheCallIsAnErrorWithItsNumber) {
  Stopped stopped = StopInCall("read", SYS_read);
  auto injection = Injection::Open(stopped.process());
  ASSERT_TRUE(injection);
  const Result<uint64_t> result = (*injection)->Call(SYS_close, {9999});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().os_error, EBADF);
}

TEST(InjectionTest, LeavesNoMappingBehind) {
  Stopped stopped = StopInCall("read", SYS_read);
  const std::string before = *ProcFs().ReadText(stopped.target->pid(), "maps");
  {
    auto injection = Injection::Open(stopped.process());
    ASSERT_TRUE(injection);
    const Result<Addr> scratch = (*injection)->Scratch();
    ASSERT_TRUE(scratch);
    ASSERT_TRUE((*injection)->memory().WriteValue<uint64_t>(*scratch, 1));
    EXPECT_NE(*ProcFs().ReadText(stopped.target->pid(), "maps"), before);
  }
  EXPECT_EQ(*ProcFs().ReadText(stopped.target->pid(), "maps"), before);
}

class InjectionIntoCallee : public ::testing::Test {
 protected:
  void SetUp() override {
    auto target = TargetProcess::Start("callee");
    function_ = Addr(std::stoul(target->ReadLine()));
    target->AwaitSystemCall(SYS_read);
    stopped_ = Stop(std::move(target));
    auto injection = Injection::Open(stopped_.process());
    ASSERT_TRUE(injection) << injection.error().Line();
    injection_ = std::move(*injection);
  }

  void ExpectUndisturbed() {
    ASSERT_TRUE(injection_->Close());
    ASSERT_TRUE(stopped_.group->DetachAll());
    stopped_.target->Write("y");
    EXPECT_EQ(stopped_.target->ReadLine(), "y undisturbed");
  }

  Addr function_;
  Stopped stopped_;
  std::unique_ptr<Injection> injection_;
};

TEST_F(InjectionIntoCallee, CallsAFunctionOfTheProgram) {
  for (uint64_t value = 1; value < 4; ++value) {
    const Result<uint64_t> result = injection_->CallFunction(function_, {value});
    ASSERT_TRUE(result) << result.error().Line();
    EXPECT_EQ(*result, 3 * value);
  }
  ExpectUndisturbed();
}

std::vector<std::byte> Code(std::initializer_list<int> bytes) {
  std::vector<std::byte> code;
  for (const int byte : bytes) code.push_back(static_cast<std::byte>(byte));
  return code;
}

TEST_F(InjectionIntoCallee, RunsCodeUntilItStopsItself) {
  // mov rax, rdi; add rax, rsi; pxor xmm5, xmm5
  auto code = Code({0x48, 0x89, 0xf8, 0x48, 0x01, 0xf0, 0x66, 0x0f, 0xef, 0xed});
  code.insert(code.end(), EndCode().begin(), EndCode().end());
  const Result<uint64_t> result = injection_->Run(code, {40, 2});
  ASSERT_TRUE(result) << result.error().Line();
  EXPECT_EQ(*result, 42u);
  ExpectUndisturbed();
}

TEST_F(InjectionIntoCallee, SurvivesCodeThatFaults) {
  const auto code = Code({0x0f, 0x0b});  // ud2
  const Result<uint64_t> result = injection_->Run(code, {});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("ILL"), std::string::npos) << result.error().Line();
  ExpectUndisturbed();
}

TEST_F(InjectionIntoCallee, GivesTheProcessADescriptor) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  OwnedFd read_end(ends[0]), write_end(ends[1]);
  const Result<int> fd = injection_->SendFd(write_end.get());
  ASSERT_TRUE(fd) << fd.error().Line();
  ASSERT_TRUE(injection_->Call(SYS_write, {static_cast<uint64_t>(*fd), function_.value(), 1}));
  char byte;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 1);
  EXPECT_EQ(ProcFs().Descriptors(stopped_.target->pid())->size(), 4u);
  ASSERT_TRUE(injection_->Call(SYS_close, {static_cast<uint64_t>(*fd)}));
  EXPECT_EQ(ProcFs().Descriptors(stopped_.target->pid())->size(), 3u);
  ExpectUndisturbed();
}

TEST_F(InjectionIntoCallee, ADeathInTheMiddleIsAnError) {
  kill(stopped_.target->pid(), SIGKILL);
  const Result<uint64_t> result = injection_->Call(SYS_getpid, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().os_error, ESRCH) << result.error().Line();
}

TEST(InjectionTest, ASandboxedProcessMakesTheCallAndIsSandboxedAfterwards) {
  std::unique_ptr<TargetProcess> target = TargetProcess::Start("sandboxed");
  EXPECT_EQ(target->ReadLine(), "ready");
  Stopped stopped = Stop(std::move(target));
  InjectGetpid(stopped);
  ASSERT_TRUE(stopped.group->DetachAll());
  stopped.target->Write("x");
  EXPECT_EQ(stopped.target->ReadLine(), "x");
  stopped.target->Write("k");
  EXPECT_EQ(stopped.target->ReadLine(), "");
}

}  // namespace
}  // namespace mcr::tracer
