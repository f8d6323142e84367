#include "tracer/workspace.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "tests/targets/target_process.h"
#include "tracer/arch/injected/code.h"
#include "tracer/remote_call.h"
#include "tracer/sys/procfs.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;

class WorkspaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    target_ = TargetProcess::Start("blocker", {"read"});
    EXPECT_EQ(target_->ReadLine(), "ready");
    target_->AwaitSystemCall(SYS_read);
    group_.emplace(TaskGroup::Attach(target_->pid()).value());
    ASSERT_TRUE(group_->InterruptAll(std::chrono::milliseconds(2000)));
    before_ = Maps();
    ASSERT_TRUE(Workspace::MakeIn(process()));
  }

  TracedProcess& process() { return group_->processes()[0]; }
  std::string Maps() const { return ProcFs().ReadText(target_->pid(), "maps").value(); }

  // Its process ID, as the process says it in a batch of one call.
  uint64_t AskForPid(Injection& injection) {
    const Addr scratch = injection.Scratch().value();
    EXPECT_TRUE(injection.memory().WriteValue(scratch, InjectedCall{.number = SYS_getpid}));
    EXPECT_TRUE(injection.Run(BatchCode(), {scratch.value(), 1}));
    return injection.memory().ReadValue<InjectedCall>(scratch)->result;
  }

  std::unique_ptr<TargetProcess> target_;
  std::optional<TaskGroup> group_;
  std::string before_;
};

TEST_F(WorkspaceTest, InjectedCodeRunsInItWithoutAnotherMapping) {
  const std::string with = Maps();
  EXPECT_NE(with, before_);
  const auto injection = Injection::Open(process()).value();
  EXPECT_EQ(AskForPid(*injection), static_cast<uint64_t>(target_->pid()));
  EXPECT_EQ(Maps(), with);
}

TEST_F(WorkspaceTest, KeepsNothingOfWhatCodeWorkedOn) {
  auto injection = Injection::Open(process()).value();
  AskForPid(*injection);
  const Addr scratch = injection->Scratch().value();
  ASSERT_TRUE(injection->Close());
  std::array<std::byte, Injection::kScratchSize> bytes;
  ASSERT_TRUE(injection->memory().Read(scratch, bytes));
  EXPECT_EQ(bytes, decltype(bytes){});
}

TEST_F(WorkspaceTest, LeavesTheProcessAsItWas) {
  AskForPid(*Injection::Open(process()).value());
  ASSERT_TRUE(Workspace::RemoveFrom(process()));
  EXPECT_EQ(Maps(), before_);
  ASSERT_TRUE(group_->DetachAll());
  target_->Write("x");
  EXPECT_EQ(target_->ReadLine(), "1 ok signals 0 mask same early");
}

TEST_F(WorkspaceTest, OtherCodeIsRunElsewhere) {
  // mov rax, rdi; int3
  const std::vector<std::byte> code = {std::byte{0x48}, std::byte{0x89}, std::byte{0xf8},
                                       std::byte{0xcc}};
  const auto injection = Injection::Open(process()).value();
  EXPECT_EQ(injection->Run(code, {42}).value(), 42u);
}

}  // namespace
}  // namespace mcr::tracer
