#include "mutator/filter/near_names.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace mcr::mutator {
namespace {

// Levenshtein's: characters to insert, remove or replace.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string NearNames(std::string_view wanted, const std::vector<std::string>& names) {
  constexpr size_t kMost = 3;
  const size_t tolerated = 1 + wanted.size() / 4;
  std::set<std::pair<size_t, std::string>> near;
  for (const std::string& name : names) {
    const size_t longer = std::max(name.size(), wanted.size());
    const size_t shorter = std::min(name.size(), wanted.size());
    if (longer - shorter > tolerated) continue;
    const size_t distance = Distance(wanted, name);
    if (distance <= tolerated) near.emplace(distance, name);
  }
  std::string text;
  size_t shown = 0;
  for (const auto& [distance, name] : near) {
    if (shown++ == kMost) break;
    text += (text.empty() ? "did you mean `" : ", `") + name + "`";
  }
  return text.empty() ? text : text + "?";
}

}  // namespace mcr::mutator
