#include "mutator/merge/free_range.h"

#include <vector>

#include <gtest/gtest.h>

namespace mcr::mutator {
namespace {

constexpr Addr kHeap(0x560000000000);

Mappings Map(std::vector<std::pair<uint64_t, uint64_t>> ranges) {
  Mappings mappings;
  for (auto [begin, end] : ranges) {
    mappings.emplace_back().range = *Range<Addr>::FromTo(Addr(begin), Addr(end));
  }
  return mappings;
}

bool IsFree(const Range<Addr>& range, const std::vector<const Mappings*>& processes) {
  for (const Mappings* mappings : processes) {
    for (const Mapping& mapping : *mappings) {
      if (mapping.range.Overlaps(range)) return false;
    }
  }
  return true;
}

TEST(FindFreeRange, IsFreeInEveryProcessAndBelowTheLimit) {
  const Mappings a = Map({{0x55ff00000000, 0x55ff00200000}, {0x560000000000, 0x560000100000}});
  const Mappings b = Map({{0x55fffff00000, 0x55fffff10000}});
  const std::vector<const Mappings*> both{&a, &b};
  const auto range = FindFreeRange(both, 0x180000, kHeap);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->size(), 0x180000u);
  EXPECT_LT(range->end(), kHeap);
  EXPECT_TRUE(IsFree(*range, both));
}

TEST(FindFreeRange, FindsTheFormerPlaceAgain) {
  // Update after update, old and new place change places instead of wandering off.
  const auto place_beside = [](Range<Addr> occupied) {
    const Mappings mappings = Map({{occupied.begin().value(), occupied.end().value()}});
    return FindFreeRange(std::vector<const Mappings*>{&mappings}, 0xf0000, kHeap).value();
  };
  const Range<Addr> first = place_beside(*Range<Addr>::FromTo(kHeap, kHeap + 0x1000));
  const Range<Addr> second = place_beside(first);
  EXPECT_FALSE(first.Overlaps(second));
  EXPECT_EQ(place_beside(second), first);
}

TEST(FindFreeRange, FailsWhenThereIsNoRoom) {
  const Mappings full = Map({{0x10000, 0x560000000000}});
  EXPECT_FALSE(FindFreeRange(std::vector<const Mappings*>{&full}, 0x1000, kHeap).has_value());
}

}  // namespace
}  // namespace mcr::mutator
