#include "mutator/filter/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "mutator/filter/near_names.h"

namespace mcr::mutator {
namespace {

bool IsNamed(const Variable& variable, const std::string& unit, const std::string& name) {
  if (!unit.empty() && !variable.unit.ends_with(unit)) return false;
  if (variable.function.empty()) return variable.name == name;
  return variable.name == name || variable.function + "::" + variable.name == name;
}

// How to say which one is meant.
std::string Precisely(const Variable& variable) {
  if (!variable.function.empty()) return variable.function + "::" + variable.name;
  return "'" + variable.unit + "'::" + variable.name;
}

}  // namespace

Result<FilterNames::Named> FilterNames::Find(const std::string& unit,
                                             const std::string& name) const {
  MCR_ASSIGN(const std::optional<Named> variable, FindVariable(unit, name));
  if (variable && !IsInAnotherForm(*variable)) return *variable;
  if (const auto function = FindFunction(unit, name)) return *function;
  if (const auto enumerator = unit.empty() ? FindEnumerator(name) : std::nullopt)
    return *enumerator;
  if (IsScattered(name)) {
    return Fail(fmt::format("the compiler keeps `{}` in pieces, or in another form", name));
  }
  return Fail(fmt::format("the old version has no variable `{}`", name), "", Near(name));
}

Result<std::optional<FilterNames::Named>> FilterNames::FindVariable(const std::string& unit,
                                                                    const std::string& name) const {
  std::vector<Named> found;
  for (size_t module = 0; module < programs_.size(); ++module) {
    for (const Variable& variable : programs_[module]->variables()) {
      if (!IsNamed(variable, unit, name)) continue;
      if (variable.unit.empty() && variable.function.empty()) return Named{module, &variable};
      found.push_back({module, &variable});
    }
  }
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return found.front();
  return Fail(fmt::format("there is more than one `{}`", name), "",
              fmt::format("say which: {} or {}", Precisely(*found[0].variable),
                          Precisely(*found[1].variable)));
}

std::optional<FilterNames::Named> FilterNames::FindFunction(const std::string& unit,
                                                            const std::string& name) const {
  for (size_t module = 0; module < programs_.size(); ++module) {
    for (const Function& function : programs_[module]->functions()) {
      if (function.name == name && function.unit.ends_with(unit)) {
        return Named{module, nullptr, &function};
      }
    }
  }
  return std::nullopt;
}

std::optional<FilterNames::Named> FilterNames::FindEnumerator(const std::string& name) const {
  for (size_t module = 0; module < programs_.size(); ++module) {
    const TypeTable& types = programs_[module]->types();
    for (TypeId id = 1; id < types.size(); ++id) {
      const auto& all = types[id].enumerators;
      const auto found = std::ranges::find(all, name, &Enumerator::name);
      if (found != all.end()) return Named{module, nullptr, nullptr, found->value};
    }
  }
  return std::nullopt;
}

// A variable that is its own only part.
bool FilterNames::IsInAnotherForm(const Named& named) const {
  return std::ranges::any_of(programs_[named.module]->in_parts(), [&](const VariableInParts& each) {
    return each.variable.Key() == named.variable->Key();
  });
}

bool FilterNames::IsScattered(const std::string& name) const {
  return std::ranges::any_of(programs_, [&](const auto& program) {
    std::vector<Variable> variables = program->scattered();
    for (const VariableInParts& each : program->in_parts()) variables.push_back(each.variable);
    return std::ranges::find(variables, name, &Variable::name) != variables.end();
  });
}

std::string FilterNames::Near(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& program : programs_) {
    for (const Variable& variable : program->variables()) names.push_back(variable.name);
  }
  return NearNames(name, names);
}

}  // namespace mcr::mutator
