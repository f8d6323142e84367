#include "mutator/graph/chunk_pairing.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr Addr kLiveHeap(0x55d0c2000000), kBaseHeap(0x561144000000);

class ChunkPairingTest : public testing::Test {
 protected:
  ChunkPairingTest() {
    live_.MapAnonymous(kLiveHeap, 0x4000, "[heap]").SetLayout(LayoutAt(kLiveHeap));
    base_.MapAnonymous(kBaseHeap, 0x4000, "[heap]").SetLayout(LayoutAt(kBaseHeap));
  }
  static checkpoint::MemoryLayout LayoutAt(Addr heap) {
    checkpoint::MemoryLayout layout;
    layout.start_brk = heap;
    return layout;
  }
  static HeapChunk Chunk(Addr at, uint64_t size, bool in_use = true) {
    return {*Range<Addr>::FromSize(at, size), in_use, false};
  }
  size_t Pairs() const { return PairChunks(live_, live_chunks_, base_, base_chunks_).size(); }
  void AddBoth(uint64_t offset, uint64_t size) {
    live_chunks_.push_back(Chunk(kLiveHeap + offset, size));
    base_chunks_.push_back(Chunk(kBaseHeap + offset, size));
  }
  void WriteBoth(uint64_t offset, uint64_t live, uint64_t base) {
    live_.WriteWord(kLiveHeap + offset, live);
    base_.WriteWord(kBaseHeap + offset, base);
  }

  FakeImage live_, base_;
  std::vector<HeapChunk> live_chunks_, base_chunks_;
};

TEST_F(ChunkPairingTest, BlocksOfOneSizeAtOneOffsetWithTheSameContentsPair) {
  AddBoth(0x10, 0x18);
  AddBoth(0x30, 0x38);
  WriteBoth(0x10, 7, 7);
  const auto pairs = PairChunks(live_, live_chunks_, base_, base_chunks_);
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_EQ(pairs[0].live, live_chunks_[0].payload);
  EXPECT_EQ(pairs[0].base, base_chunks_[0].payload);
}

TEST_F(ChunkPairingTest, OtherSizesFreedBlocksAndMovedOnesDoNot) {
  live_chunks_ = {Chunk(kLiveHeap + 0x10, 0x28), Chunk(kLiveHeap + 0x40, 0x18, false),
                  Chunk(kLiveHeap + 0x70, 0x18)};
  base_chunks_ = {Chunk(kBaseHeap + 0x10, 0x18), Chunk(kBaseHeap + 0x40, 0x18),
                  Chunk(kBaseHeap + 0x60, 0x18)};
  EXPECT_EQ(Pairs(), 0u);
}

TEST_F(ChunkPairingTest, PointersAreComparedByWhereTheyPoint) {
  AddBoth(0x10, 0x18);
  WriteBoth(0x10, (kLiveHeap + 0x80).value(), (kBaseHeap + 0x80).value());
  EXPECT_EQ(Pairs(), 1u);
  WriteBoth(0x10, (kLiveHeap + 0x80).value(), (kBaseHeap + 0x90).value());
  EXPECT_EQ(Pairs(), 0u);
}

TEST_F(ChunkPairingTest, WhatIsLeftOfAFreeListIsNoDifference) {
  AddBoth(0x10, 0x18);
  const uint64_t live_page = (kLiveHeap + 0x10).value() >> 12;
  const uint64_t base_page = (kBaseHeap + 0x10).value() >> 12;
  WriteBoth(0x10, live_page ^ (kLiveHeap + 0x80).value(), base_page ^ (kBaseHeap + 0x80).value());
  EXPECT_EQ(Pairs(), 1u);
}

TEST_F(ChunkPairingTest, ABlockThatTheServerChangedInPartStillPairs) {
  AddBoth(0x10, 0x18);
  WriteBoth(0x10, 1, 1);
  WriteBoth(0x18, 2, 2);
  WriteBoth(0x20, 9, 3);
  EXPECT_EQ(Pairs(), 1u);
}

TEST_F(ChunkPairingTest, ABlockThatWasGivenBackAndTakenAgainDoesNot) {
  AddBoth(0x10, 0x18);
  WriteBoth(0x10, 5, 1);
  WriteBoth(0x18, 6, 2);
  WriteBoth(0x20, 3, 3);
  EXPECT_EQ(Pairs(), 0u);
}

TEST_F(ChunkPairingTest, OfATextNothingBehindItsEndCounts) {
  AddBoth(0x10, 0x18);
  WriteBoth(0x10, 0x1122330070746673, 0x7788990070746673);  // "sftp"
  WriteBoth(0x18, 1, 2);
  WriteBoth(0x20, 3, 4);
  EXPECT_EQ(Pairs(), 1u);
  WriteBoth(0x10, 0x1122330070746673, 0x1122330070746674);
  EXPECT_EQ(Pairs(), 0u);
}

}  // namespace
}  // namespace mcr::mutator
