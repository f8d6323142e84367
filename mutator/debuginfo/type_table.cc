#include "mutator/debuginfo/type_table.h"

#include <algorithm>
#include <utility>

namespace mcr::mutator {
namespace {

constexpr int kDeepest = 32;  // pointers to pointers to …: enough for any message

std::string Tagged(std::string_view tag, const std::string& name) {
  return std::string(tag) + " " + (name.empty() ? "{…}" : name);
}

std::string DescribeType(const TypeTable& types, TypeId id, int depth);

// C's declarators read inside out: the dimensions of an array come in the order of its nesting.
std::string DescribeArray(const TypeTable& types, TypeId id, int depth) {
  std::string dimensions;
  for (int nested = 0; types[id].kind == TypeKind::kArray && nested < kDeepest; ++nested) {
    const uint64_t count = types[id].count;
    dimensions += count == 0 ? "[]" : "[" + std::to_string(count) + "]";
    id = types[id].target;
  }
  return DescribeType(types, id, depth + 1) + " " + dimensions;
}

std::string DescribeFunction(const TypeTable& types, const Type& type, int depth,
                             std::string_view declarator) {
  std::string parameters;
  // Parameters that are functions with parameters … grow without bound.
  if (depth > 2) return DescribeType(types, type.target, depth + 1) + " (…)";
  for (const TypeId parameter : type.parameters) {
    if (!parameters.empty()) parameters += ", ";
    parameters += DescribeType(types, parameter, depth + 1);
  }
  return DescribeType(types, type.target, depth + 1) + " " + std::string(declarator) + "(" +
         parameters + ")";
}

std::string DescribePointer(const TypeTable& types, const Type& type, int depth) {
  const Type& target = types[type.target];
  if (target.kind == TypeKind::kFunction) return DescribeFunction(types, target, depth, "(*)");
  const std::string pointee = DescribeType(types, type.target, depth + 1);
  return pointee + (pointee.ends_with('*') ? "*" : " *");
}

std::string DescribeType(const TypeTable& types, TypeId id, int depth) {
  if (depth > kDeepest) return "…";
  const Type& type = types[id];
  switch (type.kind) {
    case TypeKind::kVoid:
      return "void";
    case TypeKind::kInteger:
    case TypeKind::kFloat:
      return type.name;
    case TypeKind::kEnum:
      return Tagged("enum", type.name);
    case TypeKind::kStruct:
      return Tagged("struct", type.name);
    case TypeKind::kUnion:
      return Tagged("union", type.name);
    case TypeKind::kPointer:
      return DescribePointer(types, type, depth);
    case TypeKind::kFunction:
      return DescribeFunction(types, type, depth, "");
    case TypeKind::kArray:
      return DescribeArray(types, id, depth);
    case TypeKind::kMemberPointer:
      return DescribeType(types, type.target, depth + 1) + " ::*";
  }
  return "?";
}

}  // namespace

TypeTable::TypeTable() : types_(1) {}

TypeId TypeTable::Add(Type type) {
  const auto id = static_cast<TypeId>(types_.size());
  if (!type.name.empty()) by_name_[type.name].push_back(id);
  types_.push_back(std::move(type));
  return id;
}

void TypeTable::AddTypedef(TypeId id, std::string_view name) {
  Type& type = types_[id];
  if (type.name == name || std::ranges::find(type.typedefs, name) != type.typedefs.end()) return;
  type.typedefs.emplace_back(name);
  by_name_[type.typedefs.back()].push_back(id);
}

std::vector<TypeId> TypeTable::Find(TypeKind kind, std::string_view name) const {
  std::vector<TypeId> found;
  const auto named = by_name_.find(std::string(name));
  if (named == by_name_.end()) return found;
  std::ranges::copy_if(named->second, std::back_inserter(found),
                       [&](TypeId id) { return types_[id].kind == kind; });
  return found;
}

TypeId TypeTable::Definition(TypeId id) const {
  if (!types_[id].is_declaration) return id;
  for (const TypeId other : Find(types_[id].kind, types_[id].name)) {
    if (!types_[other].is_declaration) return other;
  }
  return id;
}

std::string TypeTable::Describe(TypeId id) const { return DescribeType(*this, id, 0); }

}  // namespace mcr::mutator
