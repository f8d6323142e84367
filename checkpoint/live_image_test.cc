#include "checkpoint/live_image.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <string>

#include "tests/targets/target_process.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;

class LiveImageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    target_ = TargetProcess::Start("graft/graftee");
    std::istringstream line(target_->ReadLine());
    ASSERT_TRUE(line >> value_ >> constant_ >> second_handler_);
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
  }

  std::unique_ptr<TargetProcess> target_;
  uint64_t value_ = 0, constant_ = 0, second_handler_ = 0;
};

TEST_F(LiveImageTest, ShowsAStoppedProcess) {
  tracer::TaskGroup group = tracer::TaskGroup::Attach(target_->pid()).value();
  ASSERT_TRUE(group.InterruptAll(std::chrono::milliseconds(2000)));
  tracer::TracedProcess& process = *group.Find(target_->pid());
  const auto image = LiveImage::Create(process).value();
  const Addr guessed_brk = image->layout().brk;
  Answers answers = AskProcess(process).value();
  EXPECT_EQ(answers.epoll_sets, image->epoll_sets());
  image->SetAnswers(std::move(answers));

  EXPECT_EQ(image->pid(), target_->pid());
  EXPECT_EQ(image->parent(), getpid());
  EXPECT_EQ(image->ReadValue<uint64_t>(Addr(value_)).value(), 11u);
  ASSERT_EQ(image->threads().size(), 1u);
  const Mapping* stack = FindMapping(image->mappings(), Addr(image->threads()[0].registers.rsp));
  ASSERT_NE(stack, nullptr);
  EXPECT_EQ(stack->path, "[stack]");
  ASSERT_EQ(image->signal_handlers().size(), 1u);
  EXPECT_EQ(image->signal_handlers()[0].signal, SIGUSR1);
  ASSERT_EQ(image->epoll_entries().size(), 1u);
  EXPECT_EQ(image->epoll_entries()[0].fd, 0);
  EXPECT_EQ(image->epoll_entries()[0].data, 0x1111u);
  ASSERT_EQ(image->timers().size(), 1u);
  EXPECT_EQ(image->timers()[0].id, 0);
  EXPECT_EQ(image->timers()[0].signal, SIGUSR1);
  EXPECT_EQ(image->timers()[0].clock, CLOCK_MONOTONIC);
  EXPECT_EQ(image->timers()[0].value, 0x2222u);
  ASSERT_EQ(image->signal_stacks().size(), 1u);
  EXPECT_EQ(image->signal_stacks()[0].tid, target_->pid());
  EXPECT_EQ(image->signal_stacks()[0].size, 1u << 16);
  EXPECT_LT(image->signal_stacks()[0].begin, image->layout().brk);
  EXPECT_EQ(image->layout().brk, guessed_brk);  // glibc moves it by whole pages
  EXPECT_FALSE(image->layout().auxv.empty());
  EXPECT_LE(image->layout().start_code, Addr(second_handler_));
  EXPECT_GT(image->layout().end_code, Addr(second_handler_));
}

TEST_F(LiveImageTest, PopulatedPagesOfAFileMappingAreThoseThatWereWritten) {
  const auto image = LiveImage::CreateRunning(target_->pid()).value();
  EXPECT_EQ(image->threads().size(), 1u);
  const auto populated = [&](uint64_t address) {
    const Mapping* mapping = FindMapping(image->mappings(), Addr(address));
    const auto ranges = image->PopulatedRanges(mapping->range).value();
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const Range<Addr>& range) { return range.Contains(Addr(address)); });
  };
  EXPECT_TRUE(populated(value_));
  EXPECT_FALSE(populated(constant_));
  EXPECT_FALSE(populated(second_handler_));
}

TEST_F(LiveImageTest, AProcessThatIsGoneIsAnError) {
  EXPECT_FALSE(LiveImage::CreateRunning(0x7fffffff).has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
