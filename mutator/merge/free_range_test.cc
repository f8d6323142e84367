#include "mutator/merge/free_range.h"

#include <gtest/gtest.h>

#include <vector>

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

constexpr Addr kOld(0x55fffe001000);

TEST(FindFreeRange, IsFreeInEveryProcessAndBelowTheLimit) {
  const Mappings a = Map({{0x55fffe001000, 0x55fffe200000}, {0x560000000000, 0x560000100000}});
  const Mappings b = Map({{0x55fefe100000, 0x55fefe110000}});
  const std::vector<const Mappings*> both{&a, &b};
  const auto range = FindFreeRange(both, 0x180000, kHeap, kOld);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->begin(), Addr(0x55fdfe001000));
  EXPECT_EQ(range->size(), 0x180000u);
  EXPECT_TRUE(IsFree(*range, both));
}

TEST(FindFreeRange, LowerHalfOfTheAddressStays) {
  const Mappings mappings = Map({{0x55fffe001000, 0x55fffe200000}});
  const auto range = FindFreeRange(std::vector<const Mappings*>{&mappings}, 0x1000, kHeap, kOld);
  EXPECT_EQ(range->begin().value() % kPlaceStep, kOld.value() % kPlaceStep);
}

TEST(FindFreeRange, FindsTheFormerPlaceAgain) {
  // Update after update, old and new place change places instead of wandering off.
  const auto place_beside = [](Addr old_place) {
    const Mappings mappings = Map({{old_place.value(), old_place.value() + 0xf0000}});
    return FindFreeRange(std::vector<const Mappings*>{&mappings}, 0xf0000, kHeap, old_place)
        .value()
        .begin();
  };
  const Addr second = place_beside(kOld);
  EXPECT_NE(second, kOld);
  EXPECT_EQ(place_beside(second), kOld);
}

TEST(FindFreeRange, FailsWhenThereIsNoRoom) {
  const Mappings full = Map({{0x10000, 0x560000000000}});
  EXPECT_FALSE(FindFreeRange(std::vector<const Mappings*>{&full}, 0x1000, kHeap, kOld).has_value());
}

}  // namespace
}  // namespace mcr::mutator
