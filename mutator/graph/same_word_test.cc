#include "mutator/graph/same_word.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr Addr kHeap(0x55d0c2000000), kOtherHeap(0x561144000000);
constexpr Addr kElsewhere(0x7f10a0000000), kOtherElsewhere(0x7f22b0000000);

class SameWordTest : public testing::Test {
 protected:
  SameWordTest() {
    Map(image_, kHeap, kElsewhere);
    Map(other_, kOtherHeap, kOtherElsewhere);
  }
  static void Map(FakeImage& image, Addr heap, Addr elsewhere) {
    checkpoint::MemoryLayout layout;
    layout.start_brk = heap;
    image.MapAnonymous(heap, 0x4000, "[heap]").SetLayout(layout);
    image.MapAnonymous(elsewhere, 0x1000, "");
  }
  bool Say(uint64_t here, uint64_t there) const {
    return WordsOf(image_).Say(here, WordsOf(other_), there);
  }
  bool MaySay(uint64_t here, uint64_t there) const {
    return WordsOf(image_).MaySay(here, WordsOf(other_), there);
  }

  FakeImage image_, other_;
};

TEST_F(SameWordTest, NumbersAndPlacesInTheHeapAreTheSame) {
  EXPECT_TRUE(Say(7, 7));
  EXPECT_FALSE(Say(7, 8));
  EXPECT_TRUE(Say((kHeap + 0x120).value(), (kOtherHeap + 0x120).value()));
  EXPECT_FALSE(Say((kHeap + 0x120).value(), (kOtherHeap + 0x128).value()));
}

TEST_F(SameWordTest, OfOtherMemoryNobodyKnows) {
  EXPECT_FALSE(Say(kElsewhere.value(), kOtherElsewhere.value()));
  EXPECT_TRUE(MaySay(kElsewhere.value(), (kOtherElsewhere + 8).value()));
}

TEST_F(SameWordTest, RemainsOfPointersUnderTheSameLowerBytesMayBeTheSame) {
  constexpr uint64_t kText = 0x6574;  // in the lower bytes, up to a zero
  EXPECT_TRUE(MaySay(uint64_t{0x55d0c2} << 24 | kText, uint64_t{0x561144} << 24 | kText));
  EXPECT_FALSE(MaySay(uint64_t{0x55d0c2} << 24 | kText, uint64_t{0x561144} << 24 | (kText + 1)));
  EXPECT_FALSE(MaySay(uint64_t{0x1234} << 24 | kText, uint64_t{0x561144} << 24 | kText));
}

TEST_F(SameWordTest, RemainsOfOnePointerAreAsFarApartAsTheHeaps) {
  const auto remains = [](Addr pointer) { return (pointer.value() & ~uint64_t{0xff}) | 't'; };
  EXPECT_TRUE(MaySay(remains(kHeap + 0x1200), remains(kOtherHeap + 0x1200)));
  EXPECT_FALSE(MaySay(remains(kHeap + 0x1200), remains(kOtherHeap + 0x2200)));
}

TEST_F(SameWordTest, TwoPointersThatShareALowerByteAreTwo) {
  EXPECT_FALSE(MaySay((kHeap + 0x120).value(), (kOtherHeap + 0x220).value()));
}

}  // namespace
}  // namespace mcr::mutator
