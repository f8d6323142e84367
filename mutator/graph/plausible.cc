#include "mutator/graph/plausible.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "mutator/graph/pointee_rules.h"

namespace mcr::mutator {
namespace {

// How many bytes the pointer of `step` leads to, as an annotation says. nullopt: none does.
std::optional<uint64_t> Length(const Step& step, const Recipe& owner,
                               std::span<const std::byte> value, const RecipeBook& recipes) {
  const TypeTable& types = recipes.before();
  const Type& type = types[owner.before];
  for (const profiles::Length& length : recipes.annotations().length()) {
    if (length.count().empty() || !RecipeBook::IsField(type, step.field, length.field())) continue;
    const auto count = NumberIn(value, type, length.count(), recipes);
    if (!count) continue;
    const uint64_t each = std::max<uint64_t>(types[step.before].size, 1);
    return *count > ~uint64_t{0} / each ? ~uint64_t{0} : *count * each;
  }
  return std::nullopt;
}

bool MayPoint(uint64_t word, std::optional<uint64_t> length, const Mappings& mappings) {
  if (word == 0 || word == ~uint64_t{0}) return length.value_or(0) == 0;
  const Mapping* mapping = FindMapping(mappings, Addr(word));
  return mapping != nullptr && length.value_or(0) <= mapping->range.end() - Addr(word);
}

}  // namespace

bool IsPlausible(const Recipe& recipe, std::span<const std::byte> value, const Mappings& mappings,
                 const RecipeBook& recipes) {
  if (value.size() < recipe.from_size) return false;
  for (const Step& step : recipe.steps) {
    if (step.kind == Step::Kind::kNested) {
      const auto inner = value.subspan(step.from);
      if (!IsPlausible(*step.element, inner, mappings, recipes)) return false;
    }
    if (step.kind != Step::Kind::kPointer) continue;
    uint64_t word;
    std::memcpy(&word, value.data() + step.from, sizeof word);
    word &= ~step.tag_mask;
    if (!MayPoint(word, Length(step, recipe, value, recipes), mappings)) return false;
  }
  return true;
}

}  // namespace mcr::mutator
