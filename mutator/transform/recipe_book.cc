#include "mutator/transform/recipe_book.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "mutator/transform/recipe_builder.h"

namespace mcr::mutator {
namespace {

bool IsTagged(const Type& type) {
  return type.kind == TypeKind::kStruct || type.kind == TypeKind::kUnion ||
         type.kind == TypeKind::kEnum;
}

}  // namespace

RecipeBook::RecipeBook(const TypeTable& before, const TypeTable& after,
                       profiles::Annotations annotations, FindFunction find_function)
    : before_(before),
      after_(after),
      annotations_(std::move(annotations)),
      find_function_(std::move(find_function)) {
  for (TypeId id = 1; id < after_.size(); ++id) {
    if (!IsTagged(after_[id])) shapes_.emplace(after_.Describe(id), id);
  }
}

const Recipe& RecipeBook::Get(TypeId before, TypeId after) {
  auto& recipe = recipes_[{before, after}];
  if (recipe == nullptr) {
    recipe = std::make_unique<Recipe>();
    // Values contain no values of their own type, so that this ends; corrupt types that do find
    // themselves empty.
    *recipe = RecipeBuilder(*this).Build(before, after);
  }
  return *recipe;
}

const Recipe& RecipeBook::Get(TypeId before) { return Get(before, Counterpart(before)); }

const Recipe& RecipeBook::GetVariable(TypeId before, TypeId after,
                                      const std::function<bool(const std::string&)>& is_called) {
  for (const profiles::TaggedPointer& annotation : annotations_.tagged_pointer()) {
    if (!is_called(annotation.field())) continue;
    return Keep(RecipeBuilder(*this).BuildTagged(annotation, before, after));
  }
  return Get(before, after);
}

const Recipe& RecipeBook::GetContainer(const profiles::Container& annotation, TypeId before,
                                       TypeId after) {
  const Recipe*& recipe = containers_[{&annotation, before, after}];
  if (recipe == nullptr) {
    recipe = &Keep(RecipeBuilder(*this).BuildContainer(annotation, before, after));
  }
  return *recipe;
}

const Recipe& RecipeBook::Keep(Recipe recipe) {
  return *kept_.emplace_back(std::make_unique<Recipe>(std::move(recipe)));
}

std::optional<FileAddr> RecipeBook::NewFunction(const std::string& name) const {
  return find_function_ ? find_function_(name) : std::nullopt;
}

TypeId RecipeBook::Counterpart(TypeId before) {
  const auto [entry, is_new] = counterparts_.try_emplace(before, 0);
  if (is_new) entry->second = FindCounterpart(before);
  return counterparts_[before];
}

std::vector<TypeId> RecipeBook::ChangedTypes() {
  std::vector<TypeId> changed;
  for (TypeId id = 1; id < before_.size(); ++id) {
    const Type& type = before_[id];
    const bool is_record = type.kind == TypeKind::kStruct || type.kind == TypeKind::kUnion;
    if (!is_record || type.name.empty() || type.is_declaration || type.size == 0) continue;
    if (Counterpart(id) != 0 && Changes(id)) changed.push_back(id);
  }
  return changed;
}

TypeId RecipeBook::FindCounterpart(TypeId id) {
  const Type& type = before_[id];
  if (type.kind == TypeKind::kVoid) return 0;
  if (IsTagged(type)) return FindNamed(id);
  const auto found = shapes_.find(before_.Describe(id));
  return found == shapes_.end() ? 0 : found->second;
}

// Units may disagree about a name: a definition that is as before is preferred.
TypeId RecipeBook::FindNamed(TypeId id) {
  const Type& type = before_[id];
  std::vector<std::string> names;
  for (const profiles::Rename& rename : annotations_.rename()) {
    if (IsNamed(type, rename.before())) names.push_back(rename.after());
  }
  names.push_back(type.name);
  names.insert(names.end(), type.typedefs.begin(), type.typedefs.end());
  for (const std::string& name : names) {
    if (name.empty()) continue;
    TypeId complete = 0;
    for (const TypeId candidate : after_.Find(type.kind, name)) {
      if (after_[candidate].is_declaration) continue;
      if (Get(id, candidate).identity) return candidate;
      if (complete == 0 || after_[candidate].size == type.size) complete = candidate;
    }
    if (complete != 0) return complete;
  }
  return 0;
}

TypeId RecipeBook::OldType(std::string_view name) const {
  for (const std::string_view prefix : {"struct ", "union ", "enum ", "class "}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  for (const TypeKind kind : {TypeKind::kStruct, TypeKind::kUnion, TypeKind::kInteger,
                              TypeKind::kEnum, TypeKind::kFloat}) {
    for (const TypeId id : before_.Find(kind, name)) {
      if (!before_[id].is_declaration) return id;
    }
  }
  return 0;
}

std::set<TypeId> RecipeBook::OldTypes(
    const google::protobuf::RepeatedPtrField<std::string>& names) const {
  std::set<TypeId> types;
  for (const std::string& name : names) {
    if (const TypeId type = OldType(name); type != 0) types.insert(type);
  }
  return types;
}

std::optional<int64_t> RecipeBook::NumberOf(const Type& type, const std::string& text) const {
  for (const Enumerator& enumerator : type.enumerators) {
    if (enumerator.name == text) return enumerator.value;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool RecipeBook::IsNamed(const Type& type, std::string_view name) {
  return !name.empty() &&
         (type.name == name || std::ranges::find(type.typedefs, name) != type.typedefs.end());
}

bool RecipeBook::IsField(const Type& type, std::string_view field, std::string_view annotated) {
  const size_t dot = annotated.rfind('.');
  if (dot == std::string_view::npos || annotated.substr(dot + 1) != field) return false;
  return IsNamed(type, annotated.substr(0, dot));
}

}  // namespace mcr::mutator
