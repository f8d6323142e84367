// WalkHeap against what the C library itself says about its blocks.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <vector>

#include "checkpoint/live_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/heap_chunks.h"
#include "tests/targets/target_process.h"

namespace mcr::mutator {
namespace {

constexpr int kBlocks = 6000;

struct Block {
  Addr at;
  uint64_t size = 0;
  bool is_free = false;
};

TEST(HeapOfAProcess, HoldsExactlyTheBlocksThatAreInUse) {
  const auto target = mcr::testing::TargetProcess::Start("heap/allocator");
  std::vector<Block> blocks;
  for (int i = 0; i < kBlocks; ++i) {
    std::istringstream line(target->ReadLine());
    uint64_t at = 0;
    Block block;
    ASSERT_TRUE(line >> at >> block.size >> block.is_free);
    block.at = Addr(at);
    blocks.push_back(block);
  }
  target->AwaitSystemCall(SYS_pause);
  const auto image = checkpoint::LiveImage::CreateRunning(target->pid()).value();
  const std::vector<HeapChunk> chunks = WalkHeap(*image).value();

  size_t in_use = 0, mmapped = 0;
  for (const Block& block : blocks) {
    const HeapChunk* chunk = FindChunk(chunks, block.at);
    if (block.is_free) {
      // It may have been joined with a free one before it, or be part of an arena's unused rest.
      EXPECT_TRUE(chunk == nullptr || !chunk->in_use) << Hex(block.at) << " " << block.size;
      continue;
    }
    ++in_use;
    ASSERT_NE(chunk, nullptr) << Hex(block.at) << " " << block.size;
    EXPECT_TRUE(chunk->in_use);
    EXPECT_EQ(chunk->payload.begin(), block.at);
    EXPECT_EQ(chunk->payload.size(), block.size);
    if (chunk->mmapped) ++mmapped;
  }
  EXPECT_GE(mmapped, 6u);

  // Besides the program's own there are a few of the C library's: buffers, caches of the threads.
  size_t all = 0;
  for (const HeapChunk& chunk : chunks) all += chunk.in_use;
  EXPECT_GE(all, in_use);
  EXPECT_LE(all, in_use + 20);
}

// Address space layout is random, and so are the C library's keys; where blocks lie in the heap is
// not.
TEST(HeapOfAProcess, HasTheSameBlocksAfterEveryStart) {
  const auto one = mcr::testing::TargetProcess::Start("heap/allocator");
  const auto other = mcr::testing::TargetProcess::Start("heap/allocator");
  for (int i = 0; i < kBlocks; ++i) {
    ASSERT_FALSE(one->ReadLine().empty());
    ASSERT_FALSE(other->ReadLine().empty());
  }
  const auto live = checkpoint::LiveImage::CreateRunning(one->pid()).value();
  const auto base = checkpoint::LiveImage::CreateRunning(other->pid()).value();
  const auto live_chunks = WalkHeap(*live).value(), base_chunks = WalkHeap(*base).value();
  const Mapping* heap = FindMapping(base->mappings(), base->layout().start_brk);
  ASSERT_NE(heap, nullptr);
  const auto in_heap = [&](const HeapChunk& chunk) {
    return chunk.in_use && heap->range.Contains(chunk.payload);
  };
  EXPECT_EQ(PairChunks(*live, live_chunks, *base, base_chunks).size(),
            static_cast<size_t>(std::ranges::count_if(base_chunks, in_heap)));
}

}  // namespace
}  // namespace mcr::mutator
