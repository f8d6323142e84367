#include "mutator/transform/recipe.h"

namespace mcr::mutator {
namespace {

std::optional<uint64_t> MapInStep(const Step& step, uint64_t offset, TypeId wanted) {
  const uint64_t index = step.from_size == 0 ? 0 : offset / step.from_size;
  const uint64_t inside = step.from_size == 0 ? offset : offset % step.from_size;
  if (step.kind == Step::Kind::kNested) {
    const auto mapped = MapOffset(*step.element, inside, wanted);
    if (!mapped) return std::nullopt;
    return step.to + index * step.to_size + *mapped;
  }
  if (step.kind == Step::Kind::kElse || step.kind == Step::Kind::kZero) return std::nullopt;
  if (step.kind == Step::Kind::kUnion && inside != 0) return std::nullopt;
  const bool same_bytes = step.kind == Step::Kind::kBytes || step.kind == Step::Kind::kOpaque ||
                          step.kind == Step::Kind::kText;
  if (!same_bytes && inside != 0) return std::nullopt;
  return step.to + inside;
}

}  // namespace

std::optional<uint64_t> MapOffset(const Recipe& recipe, uint64_t offset, TypeId wanted) {
  if (offset == 0 && (wanted == 0 || wanted == recipe.before)) return 0;
  if (recipe.identity) return offset;
  for (const Step& step : recipe.steps) {
    if (step.from <= offset && offset < step.from_end()) {
      return MapInStep(step, offset - step.from, wanted);
    }
  }
  if (recipe.flexible && offset >= recipe.flexible->from) {
    const Recipe& element = *recipe.flexible->element;
    const uint64_t at = offset - recipe.flexible->from;
    const auto mapped = MapOffset(element, at % element.from_size, wanted);
    if (!mapped) return std::nullopt;
    return recipe.flexible->to + at / element.from_size * element.to_size + *mapped;
  }
  if (offset == recipe.from_size) return recipe.to_size;
  return std::nullopt;
}

}  // namespace mcr::mutator
