#include "mcr/update/problems.h"

#include <fmt/format.h>

namespace mcr::update {

std::string SumUp(const std::vector<std::string>& problems) {
  if (problems.empty()) return "";
  if (problems.size() == 1) return problems.front();
  return fmt::format("{} (and {} more)", problems.front(), problems.size() - 1);
}

}  // namespace mcr::update
