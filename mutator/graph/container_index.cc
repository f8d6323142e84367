#include "mutator/graph/container_index.h"

#include <algorithm>
#include <set>

namespace mcr::mutator {
namespace {

constexpr int kDeepest = 32;

bool Named(const Type& type) {
  return type.kind == TypeKind::kStruct || type.kind == TypeKind::kUnion ||
         type.kind == TypeKind::kEnum || type.kind == TypeKind::kInteger ||
         type.kind == TypeKind::kFloat;
}

}  // namespace

ContainerIndex::ContainerIndex(const TypeTable& types) : types_(types) {
  for (TypeId id = 1; id < types_.size(); ++id) {
    for (const Member& member : types_[id].members) {
      TypeId inner = member.type;
      for (int i = 0; i < kDeepest && types_[inner].kind == TypeKind::kArray; ++i) {
        inner = types_[inner].target;
      }
      direct_[inner].push_back(id);
    }
  }
}

bool ContainerIndex::Same(TypeId a, TypeId b) const {
  if (a == b) return true;
  const Type& one = types_[a];
  const Type& other = types_[b];
  if (one.kind != other.kind) return false;
  if (one.kind == TypeKind::kPointer) return true;
  return Named(one) && !one.name.empty() && one.name == other.name;
}

bool ContainerIndex::Holds(TypeId outer, TypeId inner, uint64_t offset) const {
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (offset == 0 && Same(outer, inner)) return true;
    const Type& type = types_[outer];
    if (type.kind == TypeKind::kArray) {
      const uint64_t size = types_[type.target].size;
      if (size == 0) return false;
      outer = type.target;
      offset %= size;
      continue;
    }
    // Members of a union share their place, and empty base classes that of the first member.
    return std::ranges::any_of(type.members, [&](const Member& member) {
      const Type& of = types_[member.type];
      const uint64_t size =
          of.kind == TypeKind::kArray ? types_[of.target].size * of.count : of.size;
      const bool flexible = of.kind == TypeKind::kArray && of.count == 0;
      const bool covers = member.offset <= offset && (flexible || offset < member.offset + size);
      return covers && Holds(member.type, inner, offset - member.offset);
    });
  }
  return false;
}

std::vector<TypeId> ContainerIndex::Containers(TypeId inner, uint64_t offset) const {
  std::set<TypeId> found, seen;
  std::vector<TypeId> next;
  for (TypeId id = 1; id < types_.size(); ++id) {
    if (Same(id, inner)) next.push_back(id);
  }
  while (!next.empty()) {
    const TypeId id = next.back();
    next.pop_back();
    const auto around = direct_.find(id);
    if (around == direct_.end()) continue;
    for (const TypeId container : around->second) {
      if (!seen.insert(container).second) continue;
      next.push_back(container);
      const bool is_record = types_[container].kind == TypeKind::kStruct;
      if (is_record && Holds(container, inner, offset)) found.insert(container);
    }
  }
  return {found.begin(), found.end()};
}

bool ContainerIndex::DerivesFrom(TypeId type, TypeId base) const {
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (Same(type, base)) return true;
    const auto& members = types_[type].members;
    if (members.empty() || members[0].offset != 0) return false;
    // A base class is a member that is called like its type.
    const Type& first = types_[members[0].type];
    const size_t colon = first.name.rfind("::");
    const bool is_base =
        first.kind == TypeKind::kStruct && !members[0].name.empty() &&
        (members[0].name == first.name ||
         (colon != std::string::npos && members[0].name == first.name.substr(colon + 2)) ||
         first.name.ends_with(members[0].name));
    if (!is_base) return false;
    type = members[0].type;
  }
  return false;
}

}  // namespace mcr::mutator
