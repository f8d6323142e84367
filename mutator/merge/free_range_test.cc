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
  const Mappings first = Map({{0x55fffff00000, 0x55ffffff0000}});
  const auto second_place = FindFreeRange(std::vector<const Mappings*>{&first}, 0xf0000, kHeap);
  ASSERT_TRUE(second_place.has_value());
  const Mappings second =
      Map({{second_place->begin().value(), second_place->end().value()}});
  const auto third_place = FindFreeRange(std::vector<const Mappings*>{&second}, 0xf0000, kHeap);
  const Mappings third = Map({{third_place->begin().value(), third_place->end().value()}});
  const auto fourth_place = FindFreeRange(std::vector<const Mappings*>{&third}, 0xf0000, kHeap);
  EXPECT_EQ(*second_place, *fourth_place);
}

TEST(FindFreeRange, FailsWhenThereIsNoRoom) {
  const Mappings full = Map({{0x10000, 0x560000000000}});
  EXPECT_FALSE(FindFreeRange(std::vector<const Mappings*>{&full}, 0x1000, kHeap).has_value());
}

}  // namespace
}  // namespace mcr::mutator
