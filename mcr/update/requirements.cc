#include "mcr/update/requirements.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <optional>
#include <utility>

namespace mcr::update {
namespace {

using mutator::StateFilter;

// The processes in which the same is wrong.
using Wrong = std::map<std::string, std::vector<pid_t>>;

std::string Describe(const Wrong& wrong) {
  std::vector<std::string> parts;
  for (const auto& [what, pids] : wrong) {
    parts.push_back(fmt::format("{} in process{} {}", what, pids.size() == 1 ? "" : "es",
                                fmt::join(pids, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

Check EvaluateOne(const StateFilter& filter,
                  const std::vector<const checkpoint::ProcessImage*>& processes) {
  Check check{"state filter", true, 0, ""};
  Wrong wrong;
  for (const checkpoint::ProcessImage* process : processes) {
    const auto verdict = filter.Evaluate(*process);
    if (!verdict) {
      wrong[verdict.error().Line()].push_back(process->pid());
    } else if (*verdict && !(*verdict)->holds) {
      const std::string values = mutator::Text((*verdict)->values);
      wrong[values.empty() ? "it is never true" : values].push_back(process->pid());
    }
    if (!verdict || *verdict) ++check.checked;
  }
  check.ok = wrong.empty() && check.checked != 0;
  if (check.ok) {
    check.detail = fmt::format("`{}` holds", filter.expression());
  } else if (wrong.empty()) {
    check.detail = fmt::format("`{}` names what no process has", filter.expression());
  } else {
    check.detail = fmt::format("`{}` does not hold: {}", filter.expression(), Describe(wrong));
  }
  return check;
}

}  // namespace

Result<Requirements> Requirements::Create(const std::vector<std::string>& expressions,
                                          const Inspection& server) {
  Requirements requirements;
  if (expressions.empty()) return requirements;
  std::vector<mutator::FilterModule> modules = {{server.before, server.executable}};
  for (const mutator::ModuleVersions& module : server.modules) {
    if (!module.is_program) modules.push_back({module.before, module.before_path});
  }
  for (const std::string& expression : expressions) {
    auto filter = StateFilter::Create(expression, modules);
    if (!filter) {
      Error error = std::move(filter.error());
      error.what = "--require: " + error.what;
      return tl::make_unexpected(std::move(error));
    }
    requirements.filters_.push_back(*std::move(filter));
  }
  return requirements;
}

std::vector<Check> Requirements::Evaluate(
    const std::vector<const checkpoint::ProcessImage*>& processes) const {
  std::vector<Check> checks;
  for (const StateFilter& filter : filters_) checks.push_back(EvaluateOne(filter, processes));
  return checks;
}

}  // namespace mcr::update
