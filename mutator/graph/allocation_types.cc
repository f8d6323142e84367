#include "mutator/graph/allocation_types.h"

#include <algorithm>
#include <utility>

namespace mcr::mutator {
namespace {

// malloc's smallest block, its header and its granularity (glibc, malloc/malloc.c).
constexpr uint64_t kSmallest = 24, kHeader = 8, kAlignment = 16;
// What is left over of a block that was split is given along if it is too small for a block.
constexpr uint64_t kRemainder = 16;

uint64_t UsableFor(uint64_t asked) {
  const uint64_t block = (asked + kHeader + kAlignment - 1) / kAlignment * kAlignment;
  return std::max(kSmallest, block - kHeader);
}

}  // namespace

uint64_t CountThatFits(uint64_t usable, uint64_t size, bool mmapped) {
  if (size == 0 || usable < size) return 0;
  if (mmapped) return usable / size;
  for (uint64_t count = usable / size; count > 0; --count) {
    const uint64_t needed = UsableFor(count * size);
    if (needed == usable || needed + kRemainder == usable) {
      // The fewest that make a block of this size.
      while (count > 1 && UsableFor((count - 1) * size) == needed) --count;
      return count;
    }
    if (needed + kRemainder < usable) return 0;
  }
  return 0;
}

const AllocationTypes::Candidates& AllocationTypes::AtStart(const HeapChunk& chunk,
                                                            TypeId pointee) {
  const auto key = std::tuple(pointee, chunk.payload.size(), chunk.mmapped);
  auto known = known_.find(key);
  if (known == known_.end()) known = known_.emplace(key, FindAtStart(chunk, pointee)).first;
  return known->second;
}

// A pointer to a base class points to an object of some class of it; so may one to the first member
// of a struct, if what it points to alone has another size.
AllocationTypes::Candidates AllocationTypes::FindAtStart(const HeapChunk& chunk, TypeId pointee) {
  const uint64_t usable = chunk.payload.size();
  const Recipe& own = recipes_.Get(pointee);
  std::vector<TypeId> derived, around;
  for (const TypeId container : containers_.Containers(pointee, 0)) {
    if (!Fits(recipes_.Get(container), usable)) continue;
    AddNew(container, containers_.DerivesFrom(container, pointee) ? derived : around);
  }
  const bool fits = own.flexible ? usable >= own.from_size
                                 : CountThatFits(usable, own.from_size, chunk.mmapped) != 0;
  if (derived.empty() && fits) return {{pointee}, !own.identity};
  Candidates candidates{derived.empty() ? around : derived, !own.identity};
  candidates.matters = candidates.matters || std::ranges::any_of(candidates.types, [&](TypeId id) {
                         return recipes_.Changes(id);
                       });
  return candidates;
}

AllocationTypes::Candidates AllocationTypes::Inside(const HeapChunk& chunk, uint64_t offset,
                                                    TypeId pointee) {
  Candidates candidates{{}, recipes_.Changes(pointee)};
  for (const TypeId container : containers_.Containers(pointee, offset)) {
    const Recipe& recipe = recipes_.Get(container);
    if (!Fits(recipe, chunk.payload.size())) continue;
    AddNew(container, candidates.types);
    candidates.matters = candidates.matters || !recipe.identity;
  }
  return candidates;
}

// One of them, alone.
bool AllocationTypes::Fits(const Recipe& recipe, uint64_t usable) const {
  return recipe.flexible ? usable >= recipe.from_size
                         : CountThatFits(usable, recipe.from_size, false) == 1;
}

void AllocationTypes::AddNew(TypeId type, std::vector<TypeId>& types) const {
  const bool known =
      std::ranges::any_of(types, [&](TypeId other) { return containers_.Same(other, type); });
  if (!known) types.push_back(type);
}

}  // namespace mcr::mutator
