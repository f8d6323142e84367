#include "mcr/update/problems.h"

#include <fmt/format.h>

namespace mcr::update {

std::string SumUp(const std::vector<std::string>& problems) {
  if (problems.empty()) return "";
  if (problems.size() == 1) return problems.front();
  return fmt::format("{} (and {} more)", problems.front(), problems.size() - 1);
}

void AddLikelyPointers(const Options& options, mutator::MergePlan& plan) {
  if (!options.strict || plan.pointers.likely == 0) return;
  plan.problems.push_back(
      fmt::format("--strict: {} words look like pointers that would have to change, and no type "
                  "says that they are",
                  plan.pointers.likely));
}

}  // namespace mcr::update
