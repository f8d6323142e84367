#include "mutator/merge/strict.h"

#include <fmt/format.h>

#include "mutator/merge/leaf.h"

namespace mcr::mutator {

namespace {

// How many values follow the first one in a block, its size alone does not prove.
bool IsProven(const TypedObjects& objects, Addr at) {
  const Object* owner = objects.TypeAt(at);
  if (owner == nullptr) return false;
  const bool in_first = at - owner->memory.begin() < owner->recipe->from_size;
  return (in_first || owner->recipe->flexible) && LeafAt(*owner, at).kind == Leaf::Kind::kPointer;
}

}  // namespace

void RefuseUnproven(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                    const TypedObjects& objects, const std::vector<Guess>& guesses,
                    MergePlan& plan) {
  const Guess* first = nullptr;
  uint64_t count = 0;
  for (const Guess& guess : guesses) {
    if (IsProven(objects, guess.at)) continue;
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
