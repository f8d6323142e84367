#include "mutator/debuginfo/type_nesting.h"

#include <algorithm>
#include <vector>

namespace mcr::mutator {
namespace {

int HeightOf(const TypeTable& types, const Type& type, const std::vector<int>& heights) {
  int highest = 0;
  for (const Member& member : type.members) highest = std::max(highest, heights[member.type]);
  // What else is behind a pointer may well lead back to it.
  const bool is_pointer_to_pointer =
      type.kind == TypeKind::kPointer && types[type.target].kind == TypeKind::kPointer;
  if (type.kind == TypeKind::kArray || is_pointer_to_pointer) {
    highest = std::max(highest, heights[type.target]);
  }
  return highest + 1;
}

}  // namespace

std::optional<TypeId> FindBottomless(const TypeTable& types) {
  std::vector<int> heights(types.size());
  // The heights only grow; those of types in a cycle do in every round.
  for (bool grown = true; grown;) {
    grown = false;
    for (TypeId id = 1; id < types.size(); ++id) {
      const int height = HeightOf(types, types[id], heights);
      if (height > kDeepestNesting) return id;
      grown |= height != heights[id];
      heights[id] = height;
    }
  }
  return std::nullopt;
}

}  // namespace mcr::mutator
