#include "mutator/debuginfo/type_index.h"

namespace mcr::mutator {
namespace {

// Whether the type, or what it points to or is made of, has a name to be found by.
bool IsNamed(const TypeTable& types, TypeId id) {
  constexpr int kDeepest = 16;
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (types[id].kind != TypeKind::kPointer && types[id].kind != TypeKind::kArray) break;
    id = types[id].target;
  }
  return !types[id].name.empty();
}

}  // namespace

TypeIndex::TypeIndex(const TypeTable& types) : types_(types) {
  for (TypeId id = 1; id < types.size(); ++id) {
    if (IsNamed(types, id)) by_description_.emplace(types.Describe(id), id);
  }
}

TypeId TypeIndex::Find(const TypeTable& other, TypeId id) const {
  if (id == 0 || !IsNamed(other, id)) return 0;
  const auto [begin, end] = by_description_.equal_range(other.Describe(id));
  for (auto candidate = begin; candidate != end; ++candidate) {
    if (!LayoutDifference(types_, candidate->second, other, id)) return candidate->second;
  }
  return 0;
}

}  // namespace mcr::mutator
