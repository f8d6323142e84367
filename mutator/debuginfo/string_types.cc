#include "mutator/debuginfo/string_types.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace mcr::mutator {
namespace {

constexpr uint64_t kPointerSize = 8;

// 0: that is no string whose pointer is only declared.
TypeId DeclaredPointer(const TypeTable& types, const Type& string) {
  const auto& members = string.members;
  if (!string.name.starts_with("std::__cxx11::basic_string<") || members.size() < 2) return 0;
  const auto data = std::ranges::find(members, "_M_dataplus", &Member::name);
  const auto length = std::ranges::find(members, "_M_string_length", &Member::name);
  if (data == members.end() || length == members.end()) return 0;
  const Type& hider = types[data->type];
  const bool is_it = hider.is_declaration && hider.name == string.name + "::_Alloc_hider" &&
                     data->offset == 0 && length->offset == kPointerSize;
  return is_it ? data->type : 0;
}

// What the buffer of short strings is made of.
TypeId CharacterOf(const TypeTable& types, const Type& string) {
  for (const Member& member : string.members) {
    for (const Member& inner : types[member.type].members) {
      if (inner.name == "_M_local_buf") return types[inner.type].target;
    }
  }
  return 0;
}

TypeId PointerTo(TypeTable& types, TypeId target) {
  for (TypeId id = 1; id < types.size(); ++id) {
    if (types[id].kind == TypeKind::kPointer && types[id].target == target) return id;
  }
  return types.Add({.kind = TypeKind::kPointer, .size = kPointerSize, .target = target});
}

}  // namespace

void CompleteStrings(TypeTable& types) {
  for (TypeId id = 1; id < types.size(); ++id) {
    const TypeId hider = DeclaredPointer(types, types[id]);
    const TypeId character = hider == 0 ? 0 : CharacterOf(types, types[id]);
    if (character == 0) continue;
    const TypeId pointer = PointerTo(types, character);
    Type& completed = types.Edit(hider);
    completed.is_declaration = false;
    completed.size = kPointerSize;
    completed.members = {{.name = "_M_p", .type = pointer, .offset = 0}};
  }
}

}  // namespace mcr::mutator
