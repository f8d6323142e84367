#include "mutator/graph/indexed_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mutator/graph/read_number.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
constexpr uint64_t kLongest = 1 << 16;  // elements: memory may say anything

const Member* FindMember(const Type& type, std::string_view name) {
  const auto member = std::ranges::find(type.members, name, &Member::name);
  return member == type.members.end() || member->bit_size != 0 ? nullptr : &*member;
}

// What an annotated field, "request.contexts", points to; 0: there is no such pointer to pointers.
TypeId ElementOf(std::string_view field, const RecipeBook& recipes) {
  const TypeTable& types = recipes.before();
  const size_t dot = field.rfind('.');
  if (dot == field.npos) return 0;
  const Member* member =
      FindMember(types[recipes.OldType(field.substr(0, dot))], field.substr(dot + 1));
  if (member == nullptr || types[member->type].kind != TypeKind::kPointer) return 0;
  const TypeId element = types[member->type].target;
  return types[element].kind == TypeKind::kPointer ? element : 0;
}

}  // namespace

IndexedArrays::IndexedArrays(const Version& before, const Version& after, RecipeBook& recipes) {
  for (const profiles::Indexed& annotation : recipes.annotations().indexed()) {
    const auto old = Find(annotation, before, recipes);
    const auto now = Find(annotation, after, recipes);
    if (old && now) Make(annotation, *old, *now, recipes);
  }
}

std::optional<IndexedArrays::Array> IndexedArrays::Find(const profiles::Indexed& annotation,
                                                        const Version& version,
                                                        const RecipeBook& recipes) {
  const TypeTable& types = version.program.types();
  const std::string_view index = annotation.index();
  const size_t dot = std::min(index.rfind('.'), index.size());
  const auto value_of = [&](const Variable& variable, std::string_view field) {
    const Member* member = FindMember(types[types.Definition(variable.type)], field);
    const Addr at = version.bias + variable.range.begin().value();
    return member == nullptr
               ? std::nullopt
               : ReadNumber(version.memory, at + member->offset, types[member->type].size);
  };
  Array array;
  for (const Variable& variable : version.program.variables()) {
    const Type& type = types[types.Definition(variable.type)];
    if (variable.name == annotation.length()) {
      const Addr at = version.bias + variable.range.begin().value();
      array.length = ReadNumber(version.memory, at, types[variable.type].size).value_or(0);
    }
    if (!RecipeBook::IsNamed(type, index.substr(0, dot))) continue;
    if (!annotation.if_field().empty()) {
      const Member* member = FindMember(type, annotation.if_field());
      const auto wanted = member == nullptr
                              ? std::nullopt
                              : recipes.NumberOf(types[member->type], annotation.equals());
      const auto found = value_of(variable, annotation.if_field());
      if (!wanted || found != static_cast<uint64_t>(*wanted)) continue;
    }
    const auto place = value_of(variable, index.substr(std::min(dot + 1, index.size())));
    if (!place) continue;
    const auto [known, is_new] = array.names.emplace(*place, variable.name);
    if (is_new || *place >= kLongest) continue;
    problems_.push_back(fmt::format("`{}` and `{}` both have index {} (annotation: indexed)",
                                    known->second, variable.name, *place));
  }
  if (array.length != 0 && array.length <= kLongest) return array;
  problems_.push_back(fmt::format("`{}` does not say how long an array is (annotation: indexed)",
                                  annotation.length()));
  return std::nullopt;
}

void IndexedArrays::Make(const profiles::Indexed& annotation, const Array& before,
                         const Array& after, RecipeBook& recipes) {
  const TypeId element = ElementOf(annotation.field(), recipes);
  if (element == 0) {
    problems_.push_back(
        fmt::format("`{}` does not point to pointers (annotation: indexed)", annotation.field()));
    return;
  }
  std::map<std::string, uint64_t> places;
  for (const auto& [place, name] : after.names) {
    if (place < after.length) places.emplace(name, place);
  }
  Recipe recipe;
  recipe.before = element;
  recipe.after = recipes.Counterpart(element);
  recipe.from_size = before.length * kWord;
  recipe.to_size = after.length * kWord;
  recipe.has_pointers = true;
  recipe.indexed = annotation.field();
  recipe.identity = before.length == after.length;
  for (uint64_t i = 0; i < before.length; ++i) {
    const auto owner = before.names.find(i);
    const auto now = owner == before.names.end() ? places.end() : places.find(owner->second);
    Step step;
    step.from = i * kWord;
    step.from_size = kWord;
    step.field = fmt::format("{}[{}]", annotation.field(),
                             owner == before.names.end() ? std::to_string(i) : owner->second);
    if (now == places.end()) {
      step.kind = Step::Kind::kZero;
      step.reason = fmt::format(
          "`{}` has a value, and nothing says where it goes in the new "
          "version",
          step.field);
    } else {
      step.kind = Step::Kind::kPointer;
      step.to = now->second * kWord;
      step.to_size = kWord;
      const auto told = std::ranges::find(annotation.elements(), owner->second,
                                          &profiles::Indexed::Element::variable);
      step.before = told == annotation.elements().end() ? recipes.before()[element].target
                                                        : recipes.OldType(told->type());
      step.after = recipes.Counterpart(step.before);
    }
    recipe.identity = recipe.identity && step.kind == Step::Kind::kPointer && step.to == step.from;
    recipe.steps.push_back(std::move(step));
  }
  recipes_.emplace(annotation.field(), &recipes.Keep(std::move(recipe)));
}

const Recipe* IndexedArrays::At(const Type& owner, std::string_view field) const {
  const auto found = std::ranges::find_if(
      recipes_, [&](const auto& each) { return RecipeBook::IsField(owner, field, each.first); });
  return found == recipes_.end() ? nullptr : found->second;
}

}  // namespace mcr::mutator
