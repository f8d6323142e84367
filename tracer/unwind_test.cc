#include "tracer/unwind.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/result.h"
#include "tests/targets/target_process.h"
#include "tracer/sys/memory.h"
#include "tracer/sys/procfs.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

class UnwinderTest : public ::testing::Test {
 protected:
  void Stop(std::unique_ptr<TargetProcess> target) {
    target_ = std::move(target);
    Result<TaskGroup> group = TaskGroup::Attach(target_->pid());
    ASSERT_TRUE(group) << group.error().Line();
    ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
    group_.emplace(std::move(*group));
    memory_.emplace(std::move(*LiveMemory::Open(target_->pid())));
    mappings_ = *ProcFs().ReadMappings(target_->pid());
  }

  Result<std::vector<Frame>> Unwind() {
    static const auto unwinder = Unwinder::Create();
    return (*unwinder)->Unwind(*group_->processes()[0].main().GetRegisters(), *memory_, mappings_);
  }

  void ExpectReturnSlotsHoldReturnAddresses(const std::vector<Frame>& frames) {
    for (size_t i = 0; i + 1 < frames.size(); ++i) {
      EXPECT_EQ(memory_->ReadValue<uint64_t>(frames[i].return_slot),
                frames[i + 1].instruction.value());
    }
    EXPECT_TRUE(frames.back().return_slot.IsNull());
  }

  // How many frames are in the file whose name ends in `suffix`.
  int CountFrames(const std::vector<Frame>& frames, const std::string& suffix) {
    int count = 0;
    for (const Frame& frame : frames) {
      const Mapping* mapping = FindMapping(mappings_, frame.instruction);
      if (mapping != nullptr && mapping->path.ends_with(suffix)) ++count;
    }
    return count;
  }

  std::unique_ptr<TargetProcess> target_;
  std::optional<TaskGroup> group_;
  std::optional<LiveMemory> memory_;
  Mappings mappings_;
};

std::unique_ptr<TargetProcess> StartBlocked(const std::string& mode, long number) {
  auto target = TargetProcess::Start("blocker", {mode});
  EXPECT_EQ(target->ReadLine(), "ready");
  target->AwaitSystemCall(number);
  return target;
}

TEST_F(UnwinderTest, WalksFromTheSystemCallToTheStart) {
  Stop(StartBlocked("poll", SYS_poll));
  const auto frames = Unwind();
  ASSERT_TRUE(frames) << frames.error().Line();
  EXPECT_GE(frames->size(), 5u);  // poll, (Block,) main, two of libc, _start
  EXPECT_GE(CountFrames(*frames, "/blocker"), 2);
  EXPECT_GE(CountFrames(*frames, "libc.so.6"), 3);
  EXPECT_EQ(CountFrames({frames->back()}, "/blocker"), 1);
  ExpectReturnSlotsHoldReturnAddresses(*frames);
}

TEST_F(UnwinderTest, WalksThroughASignalHandler) {
  Stop(StartBlocked("handler", SYS_read));
  const auto frames = Unwind();
  ASSERT_TRUE(frames) << frames.error().Line();
  EXPECT_GE(CountFrames(*frames, "/blocker"), 3);  // the handler, main, _start
  ExpectReturnSlotsHoldReturnAddresses(*frames);
}

TEST_F(UnwinderTest, WalksFromAnyInstruction) {
  for (int sample = 0; sample < 20; ++sample) {
    auto target = TargetProcess::Start("spinner");
    ASSERT_EQ(target->ReadLine(), "ready");
    Stop(std::move(target));
    const auto frames = Unwind();
    ASSERT_TRUE(frames) << frames.error().Line();
    EXPECT_EQ(CountFrames({frames->back()}, "/spinner"), 1);
    ExpectReturnSlotsHoldReturnAddresses(*frames);
  }
}

TEST_F(UnwinderTest, NeedsNoFileOnDisk) {
  const std::string copy = ::testing::TempDir() + "/deleted_blocker";
  std::filesystem::copy_file("tests/targets/blocker", copy,
                             std::filesystem::copy_options::overwrite_existing);
  auto target = TargetProcess::StartFile(copy, {"poll"});
  ASSERT_EQ(target->ReadLine(), "ready");
  target->AwaitSystemCall(SYS_poll);
  std::filesystem::remove(copy);
  Stop(std::move(target));
  const auto frames = Unwind();
  ASSERT_TRUE(frames) << frames.error().Line();
  EXPECT_GE(CountFrames(*frames, "/deleted_blocker"), 2);
  ExpectReturnSlotsHoldReturnAddresses(*frames);
}

TEST_F(UnwinderTest, NamesAnAddressThatIsNoCode) {
  Stop(StartBlocked("poll", SYS_poll));
  Registers registers = *group_->processes()[0].main().GetRegisters();
  registers.rip = 0x1234;
  const auto unwinder = Unwinder::Create();
  const auto frames = (*unwinder)->Unwind(registers, *memory_, mappings_);
  ASSERT_FALSE(frames);
  EXPECT_NE(frames.error().Line().find("0x1234"), std::string::npos) << frames.error().Line();
}

TEST_F(UnwinderTest, IsFastEnoughForAPause) {
  Stop(StartBlocked("poll", SYS_poll));
  ASSERT_TRUE(Unwind());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Unwind());
  const auto each = (std::chrono::steady_clock::now() - start) / 100;
  RecordProperty(
      "microseconds",
      static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(each).count()));
  EXPECT_LT(each, std::chrono::milliseconds(2));
}

}  // namespace
}  // namespace mcr::tracer
