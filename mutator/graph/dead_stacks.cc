#include "mutator/graph/dead_stacks.h"

#include <algorithm>
#include <cstdint>

#include "mcr/base/mapping.h"
#include "mutator/graph/red_zone.h"

namespace mcr::mutator {

DeadStacks::DeadStacks(const checkpoint::ProcessImage& image) {
  for (const checkpoint::ThreadImage& thread : image.threads()) {
    const Addr pointer(thread.registers.rsp);
    const Mapping* mapping = FindMapping(image.mappings(), pointer);
    if (mapping == nullptr || mapping->path == "[heap]") continue;
    const Addr begin = mapping->range.begin();
    if (pointer - begin <= kRedZone) continue;
    ranges_.push_back(*Range<Addr>::FromTo(begin, pointer - kRedZone));
  }
}

bool DeadStacks::HoldWord(Addr at) const {
  const auto word = *Range<Addr>::FromSize(at, sizeof(uint64_t));
  return std::ranges::any_of(ranges_, [&](const auto& range) { return range.Contains(word); });
}

}  // namespace mcr::mutator
