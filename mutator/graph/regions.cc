#include "mutator/graph/regions.h"

#include <fmt/format.h>

#include <algorithm>

namespace mcr::mutator {
namespace {

constexpr size_t kArguments = 2;  // of an allocating function: the region and the size

}  // namespace

Regions::Regions(const Program& program, RecipeBook& recipes) : program_(program) {
  for (const profiles::Region& region : recipes.annotations().region()) {
    if (const auto wrong = Add(region, recipes)) {
      problems_.push_back(
          fmt::format("the annotation `region` of `{}`: {}", region.type(), *wrong));
    }
  }
}

const RegionKind* Regions::WithBlock(TypeId type) const {
  const TypeTable& types = program_.types();
  const auto found = std::ranges::find_if(kinds_, [&](const RegionKind& kind) {
    return kind.block == type ||
           (types[type].kind == TypeKind::kStruct && !types[type].name.empty() &&
            types[type].name == types[kind.block].name);
  });
  return found == kinds_.end() ? nullptr : &*found;
}

// "next", or through nested structs "d.next".
std::optional<Regions::Field> Regions::FindField(TypeId type, std::string_view path) const {
  Field field{0, type, 0};
  while (true) {
    const std::string_view name = path.substr(0, path.find('.'));
    const auto& members = program_.types()[field.owner].members;
    const auto member = std::ranges::find(members, name, &Member::name);
    if (member == members.end()) return std::nullopt;
    field.offset += member->offset;
    if (name.size() == path.size()) return field;
    field.owner = member->type;
    field.owner_offset = field.offset;
    path.remove_prefix(name.size() + 1);
  }
}

std::optional<std::string> Regions::Add(const profiles::Region& region, RecipeBook& recipes) {
  RegionKind kind;
  kind.block = recipes.OldType(region.type());
  if (kind.block == 0) return std::nullopt;  // another module's
  const auto next = FindField(kind.block, region.next());
  const auto end = FindField(kind.block, region.end());
  if (!next) return fmt::format("it has no field `{}`", region.next());
  if (!end) return fmt::format("it has no field `{}`", region.end());
  const bool begins_with_both = next->owner_offset == 0 && end->owner == next->owner;
  kind.chained = begins_with_both ? next->owner : kind.block;
  kind.next = next->offset;
  kind.end = end->offset;
  if (recipes.Changes(kind.block)) return "the header of its blocks changed";
  if (!FindAllocate(region, kind)) {
    return fmt::format("`{}` is no function of a region and a size", region.allocate());
  }
  kinds_.push_back(kind);
  return std::nullopt;
}

bool Regions::FindAllocate(const profiles::Region& region, RegionKind& kind) const {
  const auto function = std::ranges::find(program_.functions(), region.allocate(), &Function::name);
  if (function == program_.functions().end()) return false;
  const TypeTable& types = program_.types();
  const std::vector<TypeId>& parameters = types[function->type].parameters;
  const bool described = parameters.size() == kArguments &&
                         region.region_argument() + region.size_argument() == 1 &&
                         types[parameters[region.region_argument()]].kind == TypeKind::kPointer;
  if (!described) return false;
  kind.region = types[parameters[region.region_argument()]].target;
  kind.allocate = function->range.begin();
  kind.size_first = region.size_argument() == 0;
  return true;
}

}  // namespace mcr::mutator
