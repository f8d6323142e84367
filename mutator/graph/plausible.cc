#include "mutator/graph/plausible.h"

#include <cstdint>
#include <cstring>

namespace mcr::mutator {

bool IsPlausible(const Recipe& recipe, std::span<const std::byte> value, const Mappings& mappings) {
  if (value.size() < recipe.from_size) return false;
  for (const Step& step : recipe.steps) {
    if (step.kind == Step::Kind::kNested && !recipe.identity) {
      const auto inner = value.subspan(step.from);
      if (!IsPlausible(*step.element, inner, mappings)) return false;
    }
    if (step.kind != Step::Kind::kPointer) continue;
    uint64_t word;
    std::memcpy(&word, value.data() + step.from, sizeof word);
    word &= ~step.tag_mask;
    const bool nowhere = word == 0 || word == ~uint64_t{0};
    if (!nowhere && FindMapping(mappings, Addr(word)) == nullptr) return false;
  }
  return true;
}

}  // namespace mcr::mutator
