#include "checkpoint/cgroup_freezer.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include "checkpoint/cgroup_path.h"
#include "tests/targets/target_process.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

class FrozenCgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CgroupDirectoryOf(getpid())) GTEST_SKIP() << "no cgroup version 2 on this host";
    target_ = TargetProcess::Start("graft/graftee");
    target_->ReadLine();
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    origin_ = CgroupDirectoryOf(target_->pid()).value();
  }

  std::string Ask() {
    target_->Write("x");
    return target_->ReadLine();
  }

  std::unique_ptr<TargetProcess> target_;
  std::string origin_;
};

TEST_F(FrozenCgroupTest, LeavesTheProcessWhereItWas) {
  {
    const auto cgroup = FrozenCgroup::Create({target_->pid()}).value();
    EXPECT_EQ(CgroupDirectoryOf(target_->pid()).value(), cgroup->directory());
    ASSERT_TRUE(cgroup->Freeze());
  }
  EXPECT_EQ(CgroupDirectoryOf(target_->pid()).value(), origin_);
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
}

TEST_F(FrozenCgroupTest, HoldsTasksBetweenTwoTracers) {
  const auto cgroup = FrozenCgroup::Create({target_->pid()}).value();
  tracer::TaskGroup group = tracer::TaskGroup::Attach(target_->pid()).value();
  ASSERT_TRUE(group.InterruptAll(milliseconds(2000)));
  // As a quiescer leaves it: nothing for the kernel to restart.
  tracer::Registers registers = group.Find(target_->pid())->main().GetRegisters().value();
  registers.orig_rax = ~0ull;
  ASSERT_TRUE(group.Find(target_->pid())->main().SetRegisters(registers));
  ASSERT_TRUE(cgroup->Freeze());
  ASSERT_TRUE(group.DetachAll());
  target_->Write("x");
  group = tracer::TaskGroup::Reattach({target_->pid()}).value();
  const auto after = group.Find(target_->pid())->main().GetRegisters().value();
  EXPECT_EQ(after.rip, registers.rip);
  EXPECT_EQ(after.rax, registers.rax);
  ASSERT_TRUE(cgroup->Thaw());
  ASSERT_TRUE(group.DetachAll());
  EXPECT_TRUE(target_->ReadLine().starts_with("11 22 a"));
  EXPECT_TRUE(cgroup->Close());
}

TEST_F(FrozenCgroupTest, TheGuardThawsTheServerOfADeadTool) {
  const pid_t tool = fork();
  if (tool == 0) {
    const auto cgroup = FrozenCgroup::Create({target_->pid()});
    if (cgroup.has_value() && (*cgroup)->Freeze().has_value()) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(tool, &status, 0), tool);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (CgroupDirectoryOf(target_->pid()).value() != origin_ &&
         std::chrono::steady_clock::now() < deadline) {
    sched_yield();
  }
  EXPECT_EQ(CgroupDirectoryOf(target_->pid()).value(), origin_);
}

TEST_F(FrozenCgroupTest, AProcessThatIsGoneIsAnError) {
  EXPECT_FALSE(FrozenCgroup::Create({0x7fffffff}).has_value());
  EXPECT_FALSE(FrozenCgroup::Create({}).has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
