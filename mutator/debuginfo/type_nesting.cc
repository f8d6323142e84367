#include "mutator/debuginfo/type_nesting.h"

#include <algorithm>
#include <vector>

namespace mcr::mutator {
namespace {

// Types are compared by name where there is one, and by contents otherwise.
bool IsSeenThrough(const Type& pointee) {
  switch (pointee.kind) {
    case TypeKind::kPointer:
    case TypeKind::kMemberPointer:
    case TypeKind::kArray:
      return true;
    case TypeKind::kStruct:
    case TypeKind::kUnion:
      return pointee.name.empty();
    default:
      return false;
  }
}

int HeightOf(const TypeTable& types, const Type& type, const std::vector<int>& heights) {
  int highest = 0;
  for (const Member& member : type.members) highest = std::max(highest, heights[member.type]);
  const bool is_pointer = type.kind == TypeKind::kPointer || type.kind == TypeKind::kMemberPointer;
  if (type.kind == TypeKind::kArray || (is_pointer && IsSeenThrough(types[type.target]))) {
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
