#include "mcr/base/mapping.h"

#include <algorithm>

namespace mcr {

const Mapping* FindMapping(const Mappings& mappings, Addr address) {
  auto after = std::upper_bound(
      mappings.begin(), mappings.end(), address,
      [](Addr wanted, const Mapping& mapping) { return wanted < mapping.range.begin(); });
  if (after == mappings.begin()) return nullptr;
  const Mapping& candidate = *std::prev(after);
  return candidate.range.Contains(address) ? &candidate : nullptr;
}

}  // namespace mcr
