#include "mutator/merge/start_alignment.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr Addr kBaseHeap(0x55d0c2000000), kNextHeap(0x561144000000);
constexpr uint64_t kWord = 8;
constexpr uint64_t kTable = 0x10, kTableSize = 0x48;    // pointers to what is in the block
constexpr uint64_t kBlock = 0x100, kBlockSize = 0x208;  // pieces without types

// One of the starts: words from a place on.
struct Start {
  explicit Start(Addr at) : heap(at) {
    checkpoint::MemoryLayout layout;
    layout.start_brk = heap;
    image.MapAnonymous(heap, 0x1000, "[heap]").SetLayout(layout);
  }
  void Write(uint64_t offset, const std::vector<uint64_t>& words) {
    for (size_t i = 0; i < words.size(); ++i) image.WriteWord(heap + offset + i * kWord, words[i]);
  }
  uint64_t To(uint64_t offset) const { return (heap + offset).value(); }
  RehearsedHeap Heap() const {
    return RehearsedHeap(image, Addr(0x1000),
                         {{*Range<Addr>::FromSize(heap + kTable, kTableSize), true, false},
                          {*Range<Addr>::FromSize(heap + kBlock, kBlockSize), true, false}});
  }

  Addr heap;
  FakeImage image;
};

class StartAlignmentTest : public testing::Test {
 protected:
  StartAlignment Align() {
    before_ = std::make_unique<RehearsedHeap>(base_.Heap());
    after_ = std::make_unique<RehearsedHeap>(next_.Heap());
    known_.places = {{base_.heap + kTable, next_.heap + kTable}};
    StartWords words(module_, *before_, *after_);
    return StartAlignment::Find(*before_, *after_, words, known_);
  }
  // Where the base's place at `offset` is in the new version's start; 0: nowhere.
  uint64_t Offset(const StartAlignment& alignment, uint64_t offset) const {
    const auto place = alignment.ToNext(base_.heap + offset);
    return place ? *place - next_.heap : 0;
  }

  Start base_{kBaseHeap}, next_{kNextHeap};
  ChangedModule module_;  // of no size: no word points into it
  StartAlignment::Known known_;
  std::unique_ptr<RehearsedHeap> before_, after_;
};

TEST_F(StartAlignmentTest, WhatIsBehindAPieceThatGrowsMoves) {
  base_.Write(kTable, {base_.To(0x100), base_.To(0x120), base_.To(0x150)});
  next_.Write(kTable, {next_.To(0x100), next_.To(0x120), next_.To(0x160)});
  base_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24, 25, 26, 31, 32, 33, 34});
  next_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24, 99, 98, 25, 26, 31, 32, 33, 34});
  const StartAlignment alignment = Align();
  EXPECT_EQ(Offset(alignment, 0x120), 0x120u);
  EXPECT_EQ(Offset(alignment, 0x150), 0x160u);
  EXPECT_EQ(alignment.WordInNext(base_.heap + 0x140), next_.heap + 0x150);
  EXPECT_EQ(alignment.ToBase(next_.heap + 0x160), base_.heap + 0x150);
  const auto groups = alignment.Groups(*before_, *after_, known_);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_TRUE(groups[0].in_place);
  EXPECT_FALSE(groups[1].in_place);
}

TEST_F(StartAlignmentTest, AnElementThatIsInsertedIsPassedOver) {
  base_.Write(kTable, {base_.To(0x100), base_.To(0x120), base_.To(0x140)});
  next_.Write(kTable, {next_.To(0x100), next_.To(0x160), next_.To(0x120), next_.To(0x140)});
  base_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34});
  next_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 91, 92, 93, 94});
  const StartAlignment alignment = Align();
  EXPECT_EQ(Offset(alignment, 0x120), 0x120u);
  EXPECT_EQ(Offset(alignment, 0x140), 0x140u);
  EXPECT_FALSE(alignment.ToBase(next_.heap + 0x160).has_value());
}

TEST_F(StartAlignmentTest, PlacesThatAreNotAlikeDoNotCorrespond) {
  base_.Write(kTable, {base_.To(0x100), base_.To(0x120)});
  next_.Write(kTable, {next_.To(0x100), next_.To(0x120)});
  base_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24});
  next_.Write(kBlock, {11, 12, 13, 14, 91, 92, 93, 94});
  EXPECT_EQ(Offset(Align(), 0x120), 0u);
}

TEST_F(StartAlignmentTest, TheOnlyAllocationOfASizeIsTheSameWhateverItHolds) {
  base_.Write(kTable, {base_.To(kBlock), 7});
  next_.Write(kTable, {next_.To(kBlock), 7});
  base_.Write(kBlock, {11, 12, 13, 14});
  next_.Write(kBlock, {91, 92, 93, 94});
  EXPECT_EQ(Offset(Align(), kBlock), kBlock);
}

TEST_F(StartAlignmentTest, ThoseWhoDisagreeAreAsGoodAsNobody) {
  base_.Write(kTable, {base_.To(0x100), base_.To(0x140), base_.To(0x140)});
  next_.Write(kTable, {next_.To(0x100), next_.To(0x120), next_.To(0x140)});
  base_.Write(kBlock, {11, 12, 13, 14, 0, 0, 0, 0, 21, 22, 23, 24, 0, 0, 0, 0});
  next_.Write(kBlock, {11, 12, 13, 14, 21, 22, 23, 24, 21, 22, 23, 24, 0, 0, 0, 0});
  EXPECT_EQ(Offset(Align(), 0x140), 0u);
}

TEST_F(StartAlignmentTest, TheSameTextIsTheSamePlace) {
  constexpr uint64_t kPath = 0x0061746164;  // "data"
  base_.Write(kTable, {base_.To(0x121)});
  next_.Write(kTable, {next_.To(0x141)});
  base_.Write(0x120, {kPath << 8});
  next_.Write(0x140, {kPath << 8});
  EXPECT_EQ(Offset(Align(), 0x121), 0x141u);
}

}  // namespace
}  // namespace mcr::mutator
