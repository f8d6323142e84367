#include "mutator/merge/leaf.h"

#include <algorithm>

namespace mcr::mutator {

Leaf LeafIn(const Recipe& recipe, uint64_t offset) {
  if (recipe.flexible && offset >= recipe.flexible->from) {
    const Recipe& element = *recipe.flexible->element;
    return element.from_size == 0
               ? Leaf{}
               : LeafIn(element, (offset - recipe.flexible->from) % element.from_size);
  }
  for (const Step& step : recipe.steps) {
    if (offset < step.from || step.from_end() <= offset) continue;
    if (step.kind == Step::Kind::kNested) {
      return LeafIn(*step.element, (offset - step.from) % step.from_size);
    }
    if (step.kind == Step::Kind::kPointer) {
      Leaf leaf{Leaf::Kind::kPointer, step.before, step.tag_mask};
      if (step.first) leaf.first = static_cast<int64_t>(*step.first - step.from);
      return leaf;
    }
    if (step.copied) return {Leaf::Kind::kCopied};
    const bool unknown = step.kind == Step::Kind::kOpaque || step.kind == Step::Kind::kUnion;
    return {unknown ? Leaf::Kind::kUnknown : Leaf::Kind::kNumber};
  }
  return {};
}

Leaf LeafAt(const Object& object, Addr at) {
  const uint64_t offset = at - object.memory.begin();
  const Recipe& recipe = *object.recipe;
  const uint64_t size = std::max<uint64_t>(recipe.from_size, 1);
  return LeafIn(recipe, recipe.flexible ? offset : offset % size);
}

}  // namespace mcr::mutator
