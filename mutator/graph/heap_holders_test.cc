#include "mutator/graph/heap_holders.h"

#include <gtest/gtest.h>

#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

constexpr Addr kHeap(0x55d0c2000000), kData(0x7f0000000000), kStack(0x7ffc00000000);

class HeapHoldersTest : public testing::Test {
 protected:
  HeapHoldersTest() {
    image_.MapAnonymous(kHeap, 0x1000, "[heap]");
    image_.MapAnonymous(kData, 0x1000);
    image_.MapAnonymous(kStack, 0x1000, "[stack]");
    chunks_ = {{*Range<Addr>::FromSize(kHeap + 0x10, 0x18), true, false},
               {*Range<Addr>::FromSize(kHeap + 0x30, 0x18), false, false}};
  }
  std::vector<Addr> Words() {
    std::vector<Addr> words;
    const auto holders = FindHolders(image_, chunks_).value();
    for (const HeapHolder& holder : HoldersOf(holders, kHeap + 0x10)) words.push_back(holder.word);
    return words;
  }

  checkpoint::FakeImage image_;
  std::vector<HeapChunk> chunks_;
};

TEST_F(HeapHoldersTest, WordsThatPointIntoAnAllocation) {
  image_.WriteWord(kData + 0x40, (kHeap + 0x18).value());
  image_.WriteWord(kHeap + 0x10, (kHeap + 0x10).value());
  image_.WriteWord(kData + 0x48, (kHeap + 0x30).value());
  EXPECT_EQ(Words(), (std::vector{kHeap + 0x10, kData + 0x40}));
}

TEST_F(HeapHoldersTest, NotMallocsTablesNorWhatWasGivenBack) {
  image_.WriteWord(kData + 0x40, (kHeap + 0x20).value());  // the next block's header
  image_.WriteWord(kHeap + 0x38, (kHeap + 0x10).value());
  EXPECT_TRUE(Words().empty());
}

TEST_F(HeapHoldersTest, NotWhatLiesBelowAStackPointer) {
  checkpoint::ThreadImage thread;
  thread.registers.rsp = (kStack + 0x800).value();
  image_.AddThread(thread);
  image_.WriteWord(kStack + 0x100, (kHeap + 0x10).value());
  image_.WriteWord(kStack + 0x900, (kHeap + 0x10).value());
  EXPECT_EQ(Words(), std::vector{kStack + 0x900});
}

}  // namespace
}  // namespace mcr::mutator
