#include "mutator/merge/free_range.h"

#include <algorithm>
#include <string>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMargin = 64 * kPage;  // unmapped space on both sides, bytes
constexpr uint64_t kLowest = kPlaceStep;  // below are non-PIE programs and vm.mmap_min_addr

bool IsFree(std::span<const Mappings* const> processes, const Range<Addr>& range) {
  return std::ranges::none_of(processes, [&](const Mappings* mappings) {
    return std::ranges::any_of(
        *mappings, [&](const Mapping& mapping) { return mapping.range.Overlaps(range); });
  });
}

}  // namespace

Result<Range<Addr>> FindFreeRange(std::span<const Mappings* const> processes, uint64_t size,
                                  Addr limit, Addr old_place) {
  const uint64_t lowest = kLowest + old_place.value() % kPlaceStep;
  uint64_t begin = lowest;
  while (begin + kPlaceStep + size + kMargin <= limit.value()) begin += kPlaceStep;
  for (; begin >= lowest; begin -= kPlaceStep) {
    const auto wanted = Range<Addr>::FromSize(Addr(begin - kMargin), size + 2 * kMargin);
    if (wanted && wanted->end() <= limit && IsFree(processes, *wanted)) {
      return *Range<Addr>::FromSize(Addr(begin), size);
    }
  }
  return Fail("no address range is free in every process", std::to_string(size) + " bytes");
}

}  // namespace mcr::mutator
