#include "mcr/update/stack_names.h"

#include <algorithm>
#include <cstddef>

namespace mcr::update {

size_t MostAlike(const StackNames& wanted, const std::vector<StackNames>& candidates) {
  size_t best = 0;
  std::ptrdiff_t best_shared = -1;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto differs = std::ranges::mismatch(wanted, candidates[i]);
    const std::ptrdiff_t shared = differs.in1 - wanted.begin();
    if (shared > best_shared) {
      best = i;
      best_shared = shared;
    }
  }
  return best;
}

}  // namespace mcr::update
