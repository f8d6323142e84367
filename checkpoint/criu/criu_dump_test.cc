#include "checkpoint/criu/criu_dump.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>

#include "checkpoint/cgroup_freezer.h"
#include "checkpoint/criu/find_criu.h"
#include "checkpoint/live_image.h"
#include "tests/targets/target_process.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

class CriuDumpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    criu_ = FindCriuForTest();
    if (criu_.empty()) GTEST_SKIP() << "no criu: run third_party/criu/build, or set MCR_CRIU";
    target_ = TargetProcess::Start("graft/graftee");
    target_->ReadLine();
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    cgroup_ = FrozenCgroup::Create({target_->pid()}).value();
  }

  CriuDumpOptions Options() {
    return {.criu = criu_, .root = target_->pid(), .freeze_cgroup = cgroup_->directory()};
  }

  std::string Ask() {
    target_->Write("x");
    return target_->ReadLine();
  }

  std::string criu_;
  std::unique_ptr<TargetProcess> target_;
  std::unique_ptr<FrozenCgroup> cgroup_;
  ImageDirectory directory_ = ImageDirectory::CreatePrivate().value();
};

TEST_F(CriuDumpTest, TakesOverStoppedTasksAndGivesThemBackUnchanged) {
  auto dump = CriuDump::Start(Options(), directory_).value();
  tracer::TaskGroup group = tracer::TaskGroup::Attach(target_->pid()).value();
  ASSERT_TRUE(group.InterruptAll(milliseconds(2000)));
  tracer::Task& task = group.Find(target_->pid())->main();
  tracer::Registers registers = task.GetRegisters().value();
  registers.orig_rax = ~0ull;
  ASSERT_TRUE(task.SetRegisters(registers));
  const auto before = LiveImage::Create(*group.Find(target_->pid())).value();

  ASSERT_TRUE(cgroup_->Freeze());
  ASSERT_TRUE(group.DetachAll());
  ASSERT_TRUE(dump->Begin());
  const auto stats = dump->Finish();
  ASSERT_TRUE(stats) << stats.error().Line();
  EXPECT_GT(stats->frozen_time(), 0u);
  EXPECT_TRUE(directory_.OpenFile("pstree.img").has_value());

  group = tracer::TaskGroup::Reattach({target_->pid()}).value();
  ASSERT_TRUE(cgroup_->Thaw());
  const auto after = LiveImage::Create(*group.Find(target_->pid())).value();
  EXPECT_EQ(before->mappings().size(), after->mappings().size());
  EXPECT_EQ(std::memcmp(&before->threads()[0].registers, &after->threads()[0].registers,
                        sizeof(user_regs_struct)),
            0);
  ASSERT_TRUE(group.DetachAll());
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
}

TEST_F(CriuDumpTest, ADumpThatNeverBeginsLeavesTheServerAlone) {
  auto dump = CriuDump::Start(Options(), directory_);
  ASSERT_TRUE(dump) << dump.error().Line();
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
  dump->reset();
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
}

TEST_F(CriuDumpTest, ADumpThatIsAbandonedLeavesTheServerFrozenAndWell) {
  auto dump = CriuDump::Start(Options(), directory_).value();
  ASSERT_TRUE(cgroup_->Freeze());
  ASSERT_TRUE(dump->Begin());
  dump.reset();
  ASSERT_TRUE(cgroup_->Thaw());
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
}

TEST_F(CriuDumpTest, AFailedDumpSaysWhyInCriusWords) {
  auto options = Options();
  options.freeze_cgroup = "/nowhere";
  auto dump = CriuDump::Start(options, directory_).value();
  ASSERT_TRUE(dump->Begin());
  const auto stats = dump->Finish();
  ASSERT_FALSE(stats.has_value());
  EXPECT_NE(stats.error().what.find("control file found"), std::string::npos) << stats.error().what;
  EXPECT_TRUE(Ask().starts_with("11 22 a"));
}

TEST_F(CriuDumpTest, AMissingCriuIsNamed) {
  auto options = Options();
  options.criu = "/nowhere/criu";
  const auto dump = CriuDump::Start(options, directory_);
  ASSERT_FALSE(dump.has_value());
  EXPECT_EQ(dump.error().where, "/nowhere/criu");
}

}  // namespace
}  // namespace mcr::checkpoint
