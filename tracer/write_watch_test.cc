#include "tracer/write_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "tests/targets/target_process.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;

constexpr uint64_t kPage = 4096;

class WriteWatchTest : public ::testing::Test {
 protected:
  WriteWatchTest() : target_(TargetProcess::Start("writer")) {
    memory_ = Addr(std::stoull(target_->ReadLine(), nullptr, 16));
    Result<TaskGroup> group = TaskGroup::Attach(target_->pid());
    if (!group || !group->InterruptAll(std::chrono::milliseconds(2000))) return;
    Result<WriteWatch> watch = WriteWatch::Open(group->processes().front());
    if (watch) watch_.emplace(*std::move(watch));
    if (!group->DetachAll()) watch_.reset();
  }
  void SetUp() override { ASSERT_TRUE(watch_.has_value()); }

  void Touch(int page) {
    target_->Write(std::to_string(page) + "\n");
    ASSERT_EQ(target_->ReadLine(), "done");
  }
  Range<Addr> Pages(uint64_t from, uint64_t to) const {
    return *Range<Addr>::FromTo(memory_ + from * kPage, memory_ + to * kPage);
  }

  std::unique_ptr<TargetProcess> target_;
  Addr memory_;
  std::optional<WriteWatch> watch_;
};

TEST_F(WriteWatchTest, TellsWhichPagesTheProcessWroteTo) {
  ASSERT_TRUE(watch_->Add(Pages(0, 64)));
  EXPECT_TRUE(watch_->Written(Pages(0, 64)).value().empty());
  Touch(3);
  Touch(40);
  EXPECT_EQ(watch_->Written(Pages(0, 64)).value(), (std::vector{Pages(3, 4), Pages(40, 41)}));
  EXPECT_TRUE(watch_->Written(Pages(4, 40)).value().empty());
}

TEST_F(WriteWatchTest, WhatIsNotWatchedMayHaveBeenWrittenTo) {
  ASSERT_TRUE(watch_->Add(Pages(8, 16)));
  EXPECT_EQ(watch_->Written(Pages(16, 32)).value(), std::vector{Pages(16, 32)});
}

TEST_F(WriteWatchTest, NorIsMemoryThatCameInItsPlace) {
  ASSERT_TRUE(watch_->Add(Pages(0, 64)));
  Touch(-5);
  EXPECT_EQ(watch_->Written(Pages(5, 6)).value(), std::vector{Pages(5, 6)});
}

TEST_F(WriteWatchTest, TheProcessRunsOnWithoutIt) {
  ASSERT_TRUE(watch_->Add(Pages(0, 64)));
  watch_.reset();
  Touch(3);
}

}  // namespace
}  // namespace mcr::tracer
