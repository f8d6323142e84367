#include "mutator/graph/text_owner.h"

#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

constexpr Addr kHeap(0x558759e60000);
constexpr Addr kWord = kHeap + 0x118;
const auto kText = *Range<Addr>::FromTo(kHeap + 0x108, kWord);

class TextOwnerTest : public testing::Test {
 protected:
  TextOwnerTest() { image_.MapAnonymous(kHeap, 0x1000, "[heap]"); }
  TextEvidence Find() { return FindTextOwners(image_, std::span(&kText, 1)).value().front(); }

  checkpoint::FakeImage image_;
};

TEST_F(TextOwnerTest, LengthBeforeThePointerSaysWhereTheTextEnds) {
  image_.WriteWord(kHeap + 0x800, 18).WriteWord(kHeap + 0x808, kText.begin().value());
  EXPECT_EQ(Find().tail, TextTail::kCovers);
  EXPECT_EQ(Find().covered, 2u);
}

TEST_F(TextOwnerTest, EndPointerBehindThePointerSaysWhereTheTextEnds) {
  image_.WriteWord(kHeap + 0x800, kText.begin().value()).WriteWord(kHeap + 0x808, kWord.value());
  EXPECT_EQ(Find().tail, TextTail::kEndsBefore);
}

TEST_F(TextOwnerTest, PointersWithOtherNeighboursSayNothing) {
  image_.WriteWord(kHeap + 0x800, kText.begin().value()).WriteWord(kHeap + 0x808, 0x1000);
  EXPECT_EQ(Find().tail, TextTail::kUnknown);
}

TEST_F(TextOwnerTest, OwnersThatContradictEachOtherSayNothing) {
  image_.WriteWord(kHeap + 0x800, 18).WriteWord(kHeap + 0x808, kText.begin().value());
  image_.WriteWord(kHeap + 0x900, 16).WriteWord(kHeap + 0x908, kText.begin().value());
  image_.WriteWord(kHeap + 0xa00, 18).WriteWord(kHeap + 0xa08, kText.begin().value());
  EXPECT_EQ(Find().tail, TextTail::kUnknown);
  EXPECT_TRUE(Find().referenced);
}

TEST_F(TextOwnerTest, WhatACallHasLeftBelowTheStackSaysNothing) {
  constexpr Addr kStack(0x7ffd10000000);
  image_.MapAnonymous(kStack, 0x2000, "[stack]");
  checkpoint::ThreadImage thread;
  thread.registers.rsp = (kStack + 0x1000).value();
  image_.AddThread(thread);
  image_.WriteWord(kStack + 0x800, 16).WriteWord(kStack + 0x808, kText.begin().value());
  EXPECT_EQ(Find().tail, TextTail::kUnknown);
  EXPECT_FALSE(Find().referenced);
  image_.WriteWord(kStack + 0x1800, 18).WriteWord(kStack + 0x1808, kText.begin().value());
  EXPECT_EQ(Find().tail, TextTail::kCovers);
}

TEST_F(TextOwnerTest, TellsTextsApartThatAreNearEachOther) {
  const auto later = *Range<Addr>::FromTo(kWord + 0x10, kWord + 0x20);
  image_.WriteWord(kHeap + 0x800, 18).WriteWord(kHeap + 0x808, kText.begin().value());
  image_.WriteWord(kHeap + 0x810, 16).WriteWord(kHeap + 0x818, later.begin().value());
  const auto found = FindTextOwners(image_, std::vector{later, kText}).value();
  EXPECT_EQ(found[0].tail, TextTail::kEndsBefore);
  EXPECT_EQ(found[1].tail, TextTail::kCovers);
}

TEST_F(TextOwnerTest, TellsWhetherAnythingPointsThere) {
  EXPECT_FALSE(Find().referenced);
  image_.WriteWord(kHeap + 0x800, (kText.begin() - 0x10).value());
  EXPECT_TRUE(Find().referenced);
}

}  // namespace
}  // namespace mcr::mutator
