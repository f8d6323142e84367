#include "tracer/fatal_signal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/targets/target_process.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/signal_name.h"
#include "tracer/task.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

class FatalSignalTest : public ::testing::Test {
 protected:
  void Start(const std::string& manner) {
    target_ = TargetProcess::Start("signalled", {manner});
    ASSERT_EQ(target_->ReadLine(), "ready");
    group_.emplace(TaskGroup::Attach(target_->pid()).value());
  }

  std::optional<FatalSignal> Await(milliseconds time = milliseconds(2000)) {
    return AwaitFatalSignal(*group_, time).value();
  }

  std::unique_ptr<TargetProcess> target_;
  std::optional<TaskGroup> group_;
};

TEST_F(FatalSignalTest, StopsTheTaskBeforeItsEnd) {
  Start("default");
  target_->Write("fault\n");
  const auto fatal = Await();
  ASSERT_TRUE(fatal);
  EXPECT_EQ(fatal->pid, target_->pid());
  EXPECT_EQ(fatal->tid, target_->pid());
  EXPECT_EQ(SignalName(fatal->signal), "SIGSEGV");
  EXPECT_EQ(group_->Find(target_->pid())->main().state(), RunState::kStopped);
  ASSERT_TRUE(group_->DetachAll());
  EXPECT_EQ(target_->Wait(), 128 + SIGSEGV);  // which was only held back
}

TEST_F(FatalSignalTest, SeesAChildsAsWell) {
  Start("default");
  target_->Write("child\n");
  const auto fatal = Await();
  ASSERT_TRUE(fatal);
  EXPECT_NE(fatal->pid, target_->pid());
  EXPECT_EQ(SignalName(fatal->signal), "SIGABRT");
}

TEST_F(FatalSignalTest, LeavesWhatIsHandledToTheHandler) {
  Start("handled");
  target_->Write("fault\n");
  EXPECT_FALSE(Await(milliseconds(200)));
  EXPECT_EQ(target_->ReadLine(), "handled");
}

TEST_F(FatalSignalTest, LeavesWhatIsIgnored) {
  Start("ignored");
  kill(target_->pid(), SIGABRT);
  EXPECT_FALSE(Await(milliseconds(200)));
  target_->Write("say\n");
  EXPECT_FALSE(Await(milliseconds(200)));
  EXPECT_EQ(target_->ReadLine(), "said");
}

TEST_F(FatalSignalTest, AnOrderToEndIsNoFault) {
  Start("default");
  kill(target_->pid(), SIGTERM);
  EXPECT_FALSE(Await());
  EXPECT_TRUE(group_->processes().empty());  // it has ended by it
}

TEST_F(FatalSignalTest, AStopOfItsUserLasts) {
  Start("default");
  kill(target_->pid(), SIGSTOP);
  EXPECT_FALSE(Await(milliseconds(200)));
  EXPECT_EQ(ProcFs().ReadStatus(target_->pid())->state, 't');
  kill(target_->pid(), SIGCONT);
  target_->Write("say\n");
  EXPECT_FALSE(Await(milliseconds(200)));
  EXPECT_EQ(target_->ReadLine(), "said");
}

}  // namespace
}  // namespace mcr::tracer
