#include "mutator/merge/changed_modules.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mcr::mutator {

ChangedModules::ChangedModules(std::vector<ChangedModule> modules, const Mappings& live)
    : modules_(std::move(modules)), live_(live) {
  std::ranges::sort(modules_, {}, [](const ChangedModule& module) { return module.live.range; });
  for (const ChangedModule& module : modules_) old_ranges_.push_back(module.live.range);
}

const ChangedModule* ChangedModules::Of(uint64_t address) const {
  const Addr at(address);
  const auto after = std::ranges::upper_bound(old_ranges_, at, {}, &Range<Addr>::begin);
  if (after == old_ranges_.begin()) return nullptr;
  const auto found = std::prev(after);
  const ChangedModule& module = modules_[static_cast<size_t>(found - old_ranges_.begin())];
  if (found->Contains(at)) return &module;
  return found->end() == at && FindMapping(live_, at) == nullptr ? &module : nullptr;
}

bool ChangedModules::HoldOld(uint64_t address) const {
  const ChangedModule* module = Of(address);
  return module != nullptr && module->live.range.Contains(Addr(address));
}

}  // namespace mcr::mutator
