#include "mutator/graph/scan_memo.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "checkpoint/fake_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = checkpoint::FakeImage::kPageSize;
constexpr Addr kHeap(0x7f1200000000);
constexpr Addr kTarget(0x5500aa000000);
const PointerGuard kGuard(0x123456789abcdef0);

Range<Addr> Pages(uint64_t from, uint64_t to) {
  return *Range<Addr>::FromTo(kHeap + from * kPage, kHeap + to * kPage);
}

class ScanMemoTest : public testing::Test {
 protected:
  ScanMemoTest() { image_.MapAnonymous(kHeap, 8 * kPage); }

  void Learn(const std::vector<Range<Addr>>& memory) {
    memo_.emplace(ScanMemo::Create(image_, memory, targets_, kGuard, [this](Range<Addr> range) {
      std::vector<Range<Addr>> pages;
      for (const Range<Addr>& one : written_) {
        if (one.Overlaps(range)) pages.push_back(one.Intersection(range));
      }
      return Result<std::vector<Range<Addr>>>(pages);
    }));
  }
  // As the process does, while it is watched.
  void Write(Addr at, uint64_t word) {
    image_.WriteWord(at, word);
    for (uint64_t page = 0; page < 8; ++page) {
      if (Pages(page, page + 1).Overlaps(*Range<Addr>::FromSize(at, 8))) {
        written_.push_back(Pages(page, page + 1));
      }
    }
  }
  std::vector<Addr> Found(const ScanMemo* memo) const {
    std::vector<Addr> places;
    const auto found = ScanMapping(image_, image_.mappings().front(), targets_, kGuard, memo);
    for (const LikelyPointer& pointer : found.value()) places.push_back(pointer.at);
    return places;
  }
  // Whether the memo spares work, and nothing but work.
  void ExpectRight() const { EXPECT_EQ(Found(&*memo_), Found(nullptr)); }

  checkpoint::FakeImage image_;
  const std::vector<Range<Addr>> targets_ = {*Range<Addr>::FromSize(kTarget, 0x10000)};
  std::vector<Range<Addr>> written_;
  std::optional<ScanMemo> memo_;
};

TEST_F(ScanMemoTest, WhatWasNotWrittenToIsNotSearchedAgain) {
  image_.WriteWord(kHeap + 0x10, kTarget.value());
  Learn({Pages(0, 8)});
  image_.WriteWord(kHeap + 0x10, 0);  // and nobody says so
  EXPECT_EQ(Found(&*memo_), std::vector<Addr>{kHeap + 0x10});
}

TEST_F(ScanMemoTest, WhatWasWrittenToIs) {
  image_.WriteWord(kHeap + 0x10, kTarget.value());
  image_.WriteWord(kHeap + 3 * kPage, kTarget.value() + 1);
  Learn({Pages(0, 8)});
  Write(kHeap + 0x10, 7);
  Write(kHeap + 2 * kPage + 0x100, kTarget.value() + 8);
  ExpectRight();
  EXPECT_EQ(Found(&*memo_), (std::vector{kHeap + 2 * kPage + 0x100, kHeap + 3 * kPage}));
}

TEST_F(ScanMemoTest, AWordAcrossTheEdgeOfAWrittenPageIsSearchedAgain) {
  image_.WriteWord(kHeap + kPage - 3, kTarget.value());
  image_.WriteWord(kHeap + 5 * kPage - 3, kTarget.value());
  Learn({Pages(0, 8)});
  Write(kHeap + kPage + 0x20, 1);
  Write(kHeap + 4 * kPage + 0x20, 1);
  ExpectRight();
  EXPECT_EQ(Found(&*memo_).size(), 2u);
}

TEST_F(ScanMemoTest, MemoryThatWasNotPartOfItIsSearched) {
  Learn({Pages(2, 4), Pages(5, 6)});
  for (const uint64_t page : {0, 1, 4, 6, 7}) {
    image_.WriteWord(kHeap + page * kPage + 0x30, kTarget.value() + page);
  }
  ExpectRight();
  EXPECT_EQ(Found(&*memo_).size(), 5u);
}

TEST_F(ScanMemoTest, OtherTargetsOrAnotherGuardAreAnotherSearch) {
  Learn({Pages(0, 8)});
  EXPECT_TRUE(memo_->IsFor(targets_, kGuard));
  EXPECT_FALSE(memo_->IsFor({}, kGuard));
  EXPECT_FALSE(memo_->IsFor(targets_, PointerGuard(1)));
}

}  // namespace
}  // namespace mcr::mutator
