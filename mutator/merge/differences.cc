#include "mutator/merge/differences.h"

#include <fmt/format.h>

#include <algorithm>
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

std::vector<std::string> ChangedVariables(const Program& before, const Program& after) {
  std::vector<std::string> changes;
  for (const VariablePair& pair : PairWritableVariables(before, after)) {
    if (pair.before->type != 0 && pair.after->type != 0) {
      const auto difference =
          LayoutDifference(before.types(), pair.before->type, after.types(), pair.after->type);
      if (difference) changes.push_back("`" + pair.before->name + "`: " + *difference);
    } else if (pair.before->range.size() != pair.after->range.size()) {
      changes.push_back(fmt::format("`{}`: {} bytes, {} in the new version", pair.before->name,
                                    pair.before->range.size(), pair.after->range.size()));
    }
  }
  return changes;
}

}  // namespace

Differences Compare(const Program& before, const Program& after) {
  Differences differences;
  differences.types = DiffTypes(before.types(), after.types());
  differences.changed_variables = ChangedVariables(before, after);
  differences.new_variables = OnlyIn(after.variables(), before.variables());
  differences.dropped_variables = OnlyIn(before.variables(), after.variables());
  differences.new_functions = OnlyIn(after.functions(), before.functions());
  differences.dropped_functions = OnlyIn(before.functions(), after.functions());

  for (const TypeChange& change : differences.types) {
    differences.problems.push_back(change.name + " changed: " + change.difference +
                                   "; objects of this type are not transformed yet");
  }
  for (const std::string& change : differences.changed_variables) {
    differences.problems.push_back("variable " + change);
  }
  if (before.tls_size() != after.tls_size() ||
      !std::ranges::equal(before.tls_image(), after.tls_image())) {
    differences.problems.push_back("the thread-local variables changed");
  }
  return differences;
}

}  // namespace mcr::mutator
