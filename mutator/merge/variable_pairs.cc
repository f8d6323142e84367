#include "mutator/merge/variable_pairs.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace mcr::mutator {

bool StaysWritable(const Program& program, Range<FileAddr> range) {
  // What shares RELRO's last, partial page is writable, but what RELRO covers is not meant to
  // change.
  if (!program.relro().empty() && program.relro().Overlaps(range)) return false;
  return std::ranges::any_of(program.segments(), [&](const Segment& segment) {
    return segment.writable && segment.range.Contains(range);
  });
}

std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after) {
  std::unordered_map<std::string, const Variable*> old_variables;
  for (const Variable& variable : before.variables()) {
    if (!variable.thread_local_storage) old_variables.emplace(variable.Key(), &variable);
  }
  std::vector<VariablePair> pairs;
  for (const Variable& variable : after.variables()) {
    if (variable.thread_local_storage || !StaysWritable(after, variable.range)) continue;
    const auto found = old_variables.find(variable.Key());
    if (found == old_variables.end() || !StaysWritable(before, found->second->range)) continue;
    pairs.push_back({found->second, &variable});
  }
  return pairs;
}

}  // namespace mcr::mutator
