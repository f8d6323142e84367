#include "mutator/filter/type_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace mcr::mutator {
namespace {

using Shape = ValueType::Kind;

struct BasicType {
  std::string_view name;
  uint64_t size;
  bool is_signed;
};

// The System V ABI for x86-64; words in any order are put in this one.
constexpr BasicType kBasicTypes[] = {
    {"char", 1, true},
    {"signed char", 1, true},
    {"unsigned char", 1, false},
    {"short", 2, true},
    {"unsigned short", 2, false},
    {"int", 4, true},
    {"signed", 4, true},
    {"unsigned", 4, false},
    {"unsigned int", 4, false},
    {"long", 8, true},
    {"unsigned long", 8, false},
    {"long int", 8, true},
    {"long long", 8, true},
    {"unsigned long long", 8, false},
    {"_Bool", 1, false},
    {"bool", 1, false},
    {"int8_t", 1, true},
    {"uint8_t", 1, false},
    {"int16_t", 2, true},
    {"uint16_t", 2, false},
    {"int32_t", 4, true},
    {"uint32_t", 4, false},
    {"int64_t", 8, true},
    {"uint64_t", 8, false},
    {"size_t", 8, false},
    {"uintptr_t", 8, false},
};

TypeId FindType(const TypeTable& types, std::string_view name, const BasicType* basic) {
  for (const std::string_view tag : {"struct ", "union ", "enum "}) {
    if (name.starts_with(tag)) name.remove_prefix(tag.size());
  }
  for (const TypeKind kind :
       {TypeKind::kStruct, TypeKind::kUnion, TypeKind::kEnum, TypeKind::kInteger}) {
    for (const TypeId id : types.Find(kind, name)) {
      if (!types[id].is_declaration) return id;
    }
  }
  if (basic == nullptr) return 0;
  for (TypeId id = 1; id < types.size(); ++id) {
    const Type& type = types[id];
    if (type.kind == TypeKind::kInteger && type.size == basic->size &&
        type.is_signed == basic->is_signed) {
      return id;
    }
  }
  return 0;
}

}  // namespace

std::optional<FoundMember> FindMember(const TypeTable& types, TypeId record,
                                      const std::string& name) {
  for (const Member& member : types[record].members) {
    if (member.name == name) return FoundMember{&member, member.offset};
  }
  for (const Member& member : types[record].members) {
    const Type& inner = types[member.type];
    const bool is_record = inner.kind == TypeKind::kStruct || inner.kind == TypeKind::kUnion;
    if (!is_record || !(member.name.empty() || member.name == inner.name)) continue;
    if (auto found = FindMember(types, member.type, name)) {
      found->offset += member.offset;
      return found;
    }
  }
  return std::nullopt;
}

Result<ValueType> TypeNamed(const TypeName& wanted, const TypeTable& types) {
  const auto found = std::ranges::find(kBasicTypes, wanted.name, &BasicType::name);
  const BasicType* basic = found == std::end(kBasicTypes) ? nullptr : found;
  if (wanted.pointers == 0) {
    if (basic == nullptr) return Fail(fmt::format("`{}` is no integer type", wanted.name));
    ValueType type;
    type.size = basic->size;
    type.is_signed = basic->is_signed;
    return type;
  }
  if (wanted.pointers > 1) return Fail("a cast is to a pointer to a value");
  ValueType type;
  type.kind = Shape::kPointer;
  type.is_signed = false;
  type.types = &types;
  type.target = FindType(types, wanted.name, basic);
  if (type.target == 0) return Fail(fmt::format("the old version has no type `{}`", wanted.name));
  return type;
}

}  // namespace mcr::mutator
