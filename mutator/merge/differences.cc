#include "mutator/merge/differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_map>

#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {
namespace {

template <class Entity>
std::vector<std::string> OnlyIn(const std::vector<Entity>& these,
                                const std::vector<Entity>& others) {
  std::unordered_map<std::string, int> known;
  for (const Entity& entity : others) known.emplace(entity.Key(), 0);
  std::vector<std::string> names;
  for (const Entity& entity : these) {
    if (!known.contains(entity.Key())) names.push_back(entity.name);
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

// Fields that became something else, which may yet be as the old version's start left them.
void ListElse(const std::string& name, const Recipe& recipe, std::vector<std::string>& into) {
  for (const Step& step : recipe.steps) {
    if (step.kind == Step::Kind::kElse) into.push_back("variable `" + name + "`: " + step.reason);
    if (step.kind == Step::Kind::kNested) ListElse(name, *step.element, into);
  }
}

void CompareVariable(const VariablePair& pair, const Program& before, const Program& after,
                     AddressMap& map, Differences& differences,
                     std::vector<std::string>& if_touched) {
  std::vector<std::string>& changes = differences.changed_variables;
  if (pair.before->type != 0 && pair.after->type != 0) {
    const auto difference =
        LayoutDifference(before.types(), pair.before->type, after.types(), pair.after->type);
    if (!difference) return;
    changes.push_back("`" + pair.before->name + "`: " + *difference);
    const Recipe& recipe = map.RecipeOf(*pair.before, *pair.after);
    if (!recipe.problem.empty()) {
      differences.problems.push_back("variable `" + pair.before->name + "`: " + recipe.problem);
    }
    ListElse(pair.before->name, recipe, if_touched);
  } else if (pair.before->range.size() != pair.after->range.size()) {
    changes.push_back(fmt::format("`{}`: {} bytes, {} in the new version", pair.before->name,
                                  pair.before->range.size(), pair.after->range.size()));
    differences.problems.push_back("variable " + changes.back());
  }
}

void CompareVariables(const Program& before, const Program& after, AddressMap& map,
                      Differences& differences, std::vector<std::string>& if_touched) {
  for (const VariablePair& pair : PairWritableVariables(before, after, map.variable_names())) {
    CompareVariable(pair, before, after, map, differences, if_touched);
  }
  for (const VariablePair& pair : PairThreadLocals(before, after)) {
    CompareVariable(pair, before, after, map, differences, if_touched);
  }
}

bool HoldsPointer(const TypeTable& types, TypeId id) {
  const Type& type = types[id];
  if (type.kind == TypeKind::kArray) return HoldsPointer(types, type.target);
  return type.kind == TypeKind::kPointer ||
         std::ranges::any_of(
             type.members, [&](const Member& member) { return HoldsPointer(types, member.type); });
}

// A compiler may keep the members of a static struct apart, or a flag in one byte. How, is not
// read: such a variable is only left alone where both versions do it.
//
// Left alone, it must not have changed, nor be what leads to something that has.
std::string WhyNotLeftAlone(const Variable& variable, const Program& before, const Variable& other,
                            const Program& after, bool types_change) {
  const auto difference =
      LayoutDifference(before.types(), variable.type, after.types(), other.type);
  if (difference) return *difference;
  if (!types_change || !HoldsPointer(before.types(), variable.type)) return "";
  return "what it points to may be of a type that changed";
}

void RefuseBothScattered(const Program& before, const Program& after, Differences& differences) {
  const std::vector<Variable> others = after.scattered();
  for (const Variable& variable : before.scattered()) {
    // One of a function's own, whose value the compiler knows: it is in no memory.
    if (!variable.function.empty()) continue;
    const std::string key = variable.Key();
    const auto other = std::ranges::find(others, key, &Variable::Key);
    if (other == others.end()) continue;
    const std::string reason =
        WhyNotLeftAlone(variable, before, *other, after, !differences.types.empty());
    if (reason.empty()) continue;
    differences.problems.push_back(
        fmt::format("variable `{}`: the compiler keeps it in pieces or in another form, and {}",
                    variable.name, reason));
  }
}

void RefuseScattered(const Program& before, const Program& after, Differences& differences) {
  const auto refuse = [&](const std::vector<Variable>& pieces, const std::vector<Variable>& whole,
                          const char* which) {
    for (const Variable& variable : pieces) {
      const std::string key = variable.Key();
      const bool has_whole = std::ranges::any_of(
          whole, [&](const Variable& other) { return other.Key() == key && other.type != 0; });
      if (!has_whole) continue;
      differences.problems.push_back(
          fmt::format("variable `{}`: the compiler of the {} version keeps it in pieces or in "
                      "another form, and mcr does not put these together",
                      variable.name, which));
    }
  };
  refuse(after.scattered(), before.variables(), "new");
  refuse(before.scattered(), after.variables(), "old");
}

}  // namespace

Differences Compare(const Program& before, const Program& after, AddressMap& map) {
  Differences differences;
  differences.types = DiffTypes(before.types(), after.types());
  std::vector<std::string> if_touched;
  CompareVariables(before, after, map, differences, if_touched);
  RefuseScattered(before, after, differences);
  RefuseBothScattered(before, after, differences);
  // Of an update that is refused anyway, people want to see all that is in its way.
  if (!differences.problems.empty()) {
    std::ranges::move(if_touched, std::back_inserter(differences.problems));
  }
  differences.new_variables = OnlyIn(after.variables(), before.variables());
  differences.dropped_variables = OnlyIn(before.variables(), after.variables());
  differences.new_functions = OnlyIn(after.functions(), before.functions());
  differences.dropped_functions = OnlyIn(before.functions(), after.functions());

  return differences;
}

}  // namespace mcr::mutator
