#include "mutator/merge/free_range.h"

#include <algorithm>
#include <vector>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMargin = 64 * kPage;       // unmapped space on both sides, bytes
constexpr uint64_t kLowest = 1ull << 32;  // below are non-PIE programs and vm.mmap_min_addr

// All mappings of all processes that begin below `limit`, from the highest down.
std::vector<Range<Addr>> Occupied(std::span<const Mappings* const> processes, Addr limit) {
  std::vector<Range<Addr>> occupied;
  for (const Mappings* mappings : processes) {
    for (const Mapping& mapping : *mappings) {
      if (mapping.range.begin() < limit) occupied.push_back(mapping.range);
    }
  }
  std::ranges::sort(occupied, std::ranges::greater(), [](auto& range) { return range.end(); });
  return occupied;
}

}  // namespace

Result<Range<Addr>> FindFreeRange(std::span<const Mappings* const> processes, uint64_t size,
                                  Addr limit) {
  const uint64_t wanted = size + 2 * kMargin;
  Addr end(limit.value() & ~(kPage - 1));
  for (const Range<Addr>& range : Occupied(processes, end)) {
    if (range.end() < end && end - range.end() >= wanted) break;
    end = std::min(end, range.begin());
  }
  if (end.value() < kLowest + wanted) {
    return Fail("no address range is free in every process", std::to_string(size) + " bytes");
  }
  return *Range<Addr>::FromSize(end - kMargin - size, size);
}

}  // namespace mcr::mutator
