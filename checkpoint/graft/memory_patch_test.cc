#include "checkpoint/graft/memory_patch.h"

#include <gtest/gtest.h>

#include "checkpoint/fake_image.h"

namespace mcr::checkpoint {
namespace {

class MemoryPatchTest : public testing::Test {
 protected:
  MemoryPatchTest() { image_.MapAnonymous(Addr(0x1000), 0x4000); }

  FakeImage image_;
  WriteList writes_;
};

TEST_F(MemoryPatchTest, WritesOnOnePageBecomeOneSpanThatKeepsTheGap) {
  image_.WriteWord(Addr(0x1018), 0x77);
  writes_.AddWord(Addr(0x1020), 2);
  writes_.AddWord(Addr(0x1010), 1);
  const auto patch = MemoryPatch::Prepare(writes_, image_, {}).value();
  ASSERT_EQ(patch.spans().size(), 1u);
  const MemoryPatch::Span& span = patch.spans()[0];
  EXPECT_EQ(span.at, Addr(0x1010));
  ASSERT_EQ(span.after.size(), 24u);
  EXPECT_EQ(span.after[0], std::byte{1});
  EXPECT_EQ(span.after[8], std::byte{0x77});
  EXPECT_EQ(span.after[16], std::byte{2});
  EXPECT_EQ(span.before[0], std::byte{0});
  EXPECT_EQ(span.before[8], std::byte{0x77});
}

TEST_F(MemoryPatchTest, DistantPagesStayApartAndAdjacentWritesJoin) {
  writes_.AddWord(Addr(0x4000), 1);
  writes_.AddWord(Addr(0x1ff8), 2);
  writes_.AddWord(Addr(0x2000), 3);
  const auto patch = MemoryPatch::Prepare(writes_, image_, {}).value();
  ASSERT_EQ(patch.spans().size(), 2u);
  EXPECT_EQ(patch.spans()[0].after.size(), 16u);
  EXPECT_EQ(patch.spans()[1].at, Addr(0x4000));
}

TEST_F(MemoryPatchTest, TheLaterOfTwoOverlappingWritesWins) {
  writes_.AddWord(Addr(0x1004), 0);
  writes_.AddWord(Addr(0x1000), ~0ull);
  const auto patch = MemoryPatch::Prepare(writes_, image_, {}).value();
  ASSERT_EQ(patch.spans().size(), 1u);
  EXPECT_EQ(patch.spans()[0].after[7], std::byte{0xff});
  EXPECT_EQ(patch.spans()[0].after[11], std::byte{0});
}

TEST_F(MemoryPatchTest, NewMappingsAreNotSaved) {
  writes_.AddWord(Addr(0x2000), 1);
  writes_.AddWord(Addr(0x3000), 1);
  const Range<Addr> fresh[] = {*Range<Addr>::FromSize(Addr(0x3000), 0x1000)};
  const auto patch = MemoryPatch::Prepare(writes_, image_, fresh).value();
  ASSERT_EQ(patch.spans().size(), 2u);
  EXPECT_FALSE(patch.spans()[0].before.empty());
  EXPECT_TRUE(patch.spans()[1].before.empty());
}

TEST_F(MemoryPatchTest, WhatOthersHaveWrittenToSinceIsNotWrittenTo) {
  for (const uint64_t at : {0x1008, 0x1010, 0x1018, 0x3000, 0x4000}) writes_.AddWord(Addr(at), at);
  const Range<Addr> fresh[] = {*Range<Addr>::FromSize(Addr(0x4000), 0x1000)};
  const auto patch = MemoryPatch::Prepare(writes_, image_, fresh).value();
  image_.WriteWord(Addr(0x1013), 5).WriteWord(Addr(0x1020), 6).WriteWord(Addr(0x4000), 7);
  const WriteList right = patch.StillRight(writes_, image_).value();
  std::vector<Addr> places;
  for (const WriteList::Entry& entry : right.entries()) places.push_back(entry.at);
  const std::vector<Addr> expected = {Addr(0x1008), Addr(0x1018), Addr(0x3000), Addr(0x4000)};
  EXPECT_EQ(places, expected) << "what is mapped for the graft has not been read";
  EXPECT_EQ(right.bytes(right.entries()[2])[1], std::byte{0x30});
}

TEST_F(MemoryPatchTest, AWriteOutsideOfMemoryFails) {
  writes_.AddWord(Addr(0x9000), 1);
  EXPECT_FALSE(MemoryPatch::Prepare(writes_, image_, {}).has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
