#include "mutator/merge/strict.h"

#include <fmt/format.h>

#include "mutator/merge/leaf.h"

namespace mcr::mutator {

void RefuseUnproven(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                    const TypedObjects& objects, const std::vector<Guess>& guesses,
                    MergePlan& plan) {
  const Guess* first = nullptr;
  uint64_t count = 0;
  for (const Guess& guess : guesses) {
    const Object* owner = objects.TypeAt(guess.at);
    if (owner != nullptr && LeafAt(*owner, guess.at).kind == Leaf::Kind::kPointer) continue;
    if (first == nullptr) first = &guess;
    ++count;
  }
  plan.pointers.unproven += count;
  if (first == nullptr) return;
  const ChangedModule& module = *modules.Of(first->target);
  plan.problems.push_back(fmt::format(
      "process {}: --strict: {} word{} in memory whose type is not known would be taken for "
      "pointers to data; the first is at {} and would point to {} (annotation: pointee or region "
      "of what points there)",
      live.pid(), count, count == 1 ? "" : "s", Hex(first->at),
      AddressMap::Name(module.before(), module.InOld(first->target))));
}

}  // namespace mcr::mutator
