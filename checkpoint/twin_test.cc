#include "checkpoint/twin.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "tests/targets/target_process.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/workspace.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;

class TwinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    target_ = TargetProcess::Start("graft/graftee");
    std::istringstream line(target_->ReadLine());
    uint64_t value = 0;
    ASSERT_TRUE(line >> value);
    value_ = Addr(value);
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    group_.emplace(tracer::TaskGroup::Attach(target_->pid()).value());
    ASSERT_TRUE(group_->InterruptAll(std::chrono::milliseconds(2000)));
  }
  std::unique_ptr<Twin> Fork() {
    auto twin = Twin::Fork(group_->processes()[0]);
    EXPECT_TRUE(twin) << twin.error().Line();
    return std::move(*twin);
  }
  uint64_t ValueIn(pid_t pid) {
    return tracer::LiveMemory::Open(pid)->ReadValue<uint64_t>(value_).value();
  }

  std::unique_ptr<TargetProcess> target_;
  std::optional<tracer::TaskGroup> group_;
  Addr value_;
};

TEST_F(TwinTest, KeepsTheMemoryThatTheProcessHad) {
  const auto twin = Fork();
  auto memory = tracer::LiveMemory::Open(target_->pid()).value();
  ASSERT_TRUE(memory.WriteValue<uint64_t>(value_, 99));
  EXPECT_EQ(ValueIn(twin->pid()), 11u);
  EXPECT_EQ(ValueIn(target_->pid()), 99u);
  ASSERT_TRUE(twin->Restore());
  EXPECT_EQ(ValueIn(target_->pid()), 11u);
}

TEST_F(TwinTest, HoldsNoDescriptorOfTheProcess) {
  const auto twin = Fork();
  const tracer::ProcFs procfs;
  // It closes them as the first thing that it does, and nothing tells when.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (procfs.Descriptors(twin->pid())->size() > 1 &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_EQ(procfs.Descriptors(twin->pid())->size(), 1u);
}

TEST_F(TwinTest, LeavesNothingBehind) {
  const tracer::ProcFs procfs;
  const auto mappings = procfs.ReadText(target_->pid(), "maps").value();
  const auto descriptors = procfs.Descriptors(target_->pid()).value();
  pid_t pid = 0;
  {
    const auto twin = Fork();
    pid = twin->pid();
    EXPECT_NE(procfs.ReadStatus(pid)->parent, target_->pid());
    EXPECT_TRUE(procfs.Children(target_->pid())->empty());
  }
  const auto status = procfs.ReadStatus(pid);
  EXPECT_TRUE(!status || status->state == 'Z' || status->state == 'X');
  EXPECT_EQ(procfs.ReadText(target_->pid(), "maps").value(), mappings);
  EXPECT_EQ(procfs.Descriptors(target_->pid()).value(), descriptors);
}

TEST_F(TwinTest, IsForkedFromAWorkspaceThatOtherForksDoNotGet) {
  const tracer::ProcFs procfs;
  tracer::TracedProcess& process = group_->processes()[0];
  const auto descriptors = procfs.Descriptors(target_->pid()).value();
  ASSERT_TRUE(tracer::Workspace::MakeIn(process));
  const auto mappings = procfs.ReadText(target_->pid(), "maps").value();
  {
    const auto twin = Fork();
    EXPECT_EQ(ValueIn(twin->pid()), 11u);
    EXPECT_EQ(procfs.ReadText(target_->pid(), "maps").value(), mappings);
    EXPECT_EQ(procfs.Descriptors(target_->pid()).value(), descriptors);
  }
  ASSERT_TRUE(tracer::Workspace::RemoveFrom(process));
}

// A child that is watched by a filter that allows everything, until the end of its input.
class FilteredChild {
 public:
  FilteredChild() {
    int input[2], ready[2];
    EXPECT_EQ(pipe(input), 0);
    EXPECT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(input[1]);
      sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
      const sock_fprog program{1, &allow};
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
      char byte = 0;
      (void)!write(ready[1], &byte, 1);
      _exit(static_cast<int>(read(input[0], &byte, 1)));
    }
    close(input[0]);
    input_ = OwnedFd(input[1]);
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
  }
  ~FilteredChild() {
    input_.Reset();
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  OwnedFd input_;
};

TEST_F(TwinTest, IsNotForAProcessThatAFilterWatches) {
  EXPECT_TRUE(Twin::Check(target_->pid()));
  const FilteredChild filtered;
  EXPECT_FALSE(Twin::Check(filtered.pid()));
}

}  // namespace
}  // namespace mcr::checkpoint
