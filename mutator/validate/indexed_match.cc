#include "mutator/validate/indexed_match.h"

#include <algorithm>
#include <optional>
#include <string>

#include "mutator/graph/read_number.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

struct Field {
  TypeId type = 0;
  uint64_t value = 0;
};

// The integer in the field `field` of a variable; nullopt: there is none.
std::optional<Field> FieldOf(const Program& program, const Variable& variable,
                             std::string_view field, const VersionMemory& version) {
  const Type& type = program.types()[program.types().Definition(variable.type)];
  const auto member = std::ranges::find(type.members, field, &Member::name);
  if (member == type.members.end()) return std::nullopt;
  const Addr at = version.bias + variable.range.begin().value() + member->offset;
  const auto value = ReadNumber(version.memory, at, program.types()[member->type].size);
  return value ? std::optional(Field{member->type, *value}) : std::nullopt;
}

bool IsCalled(const Type& type, std::string_view name) {
  return type.name == name || std::ranges::find(type.typedefs, name) != type.typedefs.end();
}

}  // namespace

std::map<uint64_t, uint64_t> MatchIndexed(std::string_view field, const VersionPair& versions,
                                          const VersionMemory& before, const VersionMemory& after) {
  std::map<uint64_t, uint64_t> places;
  const auto& annotations = versions.layouts().annotations().indexed();
  const auto annotation = std::ranges::find(annotations, field, &profiles::Indexed::field);
  if (annotation == annotations.end()) return places;
  const std::string_view path = annotation->index();
  const size_t dot = path.rfind('.');
  if (dot == path.npos) return places;
  const TypeTable& types = versions.before().types();
  for (const Variable& variable : versions.before().variables()) {
    if (!IsCalled(types[types.Definition(variable.type)], path.substr(0, dot))) continue;
    const Variable* now = versions.Counterpart(variable);
    if (now == nullptr) continue;
    const std::string_view index = path.substr(dot + 1);
    const auto from = FieldOf(versions.before(), variable, index, before);
    const auto to = FieldOf(versions.after(), *now, index, after);
    if (!from || !to) continue;
    if (!annotation->if_field().empty()) {
      const auto kind = FieldOf(versions.before(), variable, annotation->if_field(), before);
      if (!kind) continue;
      const auto wanted = versions.layouts().NumberOf(types[kind->type], annotation->equals());
      if (!wanted || kind->value != static_cast<uint64_t>(*wanted)) continue;
    }
    places.emplace(from->value * kWord, to->value * kWord);
  }
  return places;
}

}  // namespace mcr::mutator
