#include "mutator/filter/value_type.h"

#include <algorithm>

namespace mcr::mutator {
namespace {

using Shape = ValueType::Kind;

}  // namespace

ValueType TypeOf(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  ValueType value;
  value.types = &types;
  value.id = id;
  value.size = type.size;
  value.is_signed = type.is_signed;
  value.target = type.target;
  switch (type.kind) {
    case TypeKind::kEnum:
      value.is_signed = std::ranges::any_of(type.enumerators,
                                            [](const Enumerator& each) { return each.value < 0; });
      [[fallthrough]];
    case TypeKind::kInteger:
      value.kind = Shape::kInteger;
      break;
    case TypeKind::kPointer:
      value.kind = Shape::kPointer;
      value.is_signed = false;
      break;
    case TypeKind::kArray:
      value.kind = Shape::kArray;
      value.count = type.count;
      value.size = type.count * TypeOf(types, type.target).size;
      break;
    case TypeKind::kStruct:
    case TypeKind::kUnion:
      value.kind = Shape::kRecord;
      break;
    case TypeKind::kFunction:
      value.kind = Shape::kFunction;
      break;
    case TypeKind::kFloat:
      value.kind = Shape::kFloat;
      break;
    case TypeKind::kVoid:
    case TypeKind::kMemberPointer:
      value.kind = Shape::kVoid;
      break;
  }
  return value;
}

std::string Describe(const ValueType& type) {
  if (type.kind == Shape::kText) return "a text";
  if (type.types == nullptr) return "a number";
  if (type.kind == Shape::kVoid) return "`void`";
  if (type.id != 0) return "`" + type.types->Describe(type.id) + "`";
  if (type.kind == Shape::kPointer) return "`" + type.types->Describe(type.target) + " *`";
  return type.kind == Shape::kFunction ? "a function" : "a number";
}

}  // namespace mcr::mutator
