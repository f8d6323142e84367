#include "mutator/merge/variable_pairs.h"

#include <algorithm>
#include <string>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

bool StaysWritable(const Program& program, Range<FileAddr> range) {
  // What shares RELRO's last, partial page is writable, but what RELRO covers is not meant to
  // change.
  if (!program.relro().empty() && program.relro().Overlaps(range)) return false;
  return std::ranges::any_of(program.segments(), [&](const Segment& segment) {
    return segment.writable && segment.range.Contains(range);
  });
}

bool IsCalled(const Variable& variable, const std::string& name) {
  return name == variable.name || name == variable.unit + ":" + variable.name ||
         name == variable.function + ":" + variable.name;
}

namespace {

template <class Names>
auto Find(const Names& names, const Variable& variable) {
  return std::ranges::find_if(names,
                              [&](const auto& entry) { return IsCalled(variable, entry.first); });
}

}  // namespace

VariableNames::VariableNames(const Program& after, const profiles::Annotations& annotations) {
  for (const Variable& variable : after.variables()) {
    if (!variable.thread_local_storage) by_key_.emplace(variable.Key(), &variable);
  }
  for (const profiles::Rename& rename : annotations.rename()) {
    renamed_.emplace(rename.before(), rename.after());
  }
  for (const std::string& name : annotations.drop()) dropped_.emplace(name, true);
}

const Variable* VariableNames::Counterpart(const Variable& old_variable) const {
  if (Find(dropped_, old_variable) != dropped_.end()) return nullptr;
  Variable wanted = old_variable;
  const auto renamed = Find(renamed_, old_variable);
  if (renamed != renamed_.end()) wanted.name = renamed->second;
  const auto found = by_key_.find(wanted.Key());
  return found == by_key_.end() ? nullptr : found->second;
}

std::vector<VariablePair> PairWritableVariables(const Program& before, const Program& after,
                                                const VariableNames& names) {
  std::vector<VariablePair> pairs;
  for (const Variable& variable : before.variables()) {
    if (variable.thread_local_storage || !StaysWritable(before, variable.range)) continue;
    const Variable* counterpart = names.Counterpart(variable);
    if (counterpart == nullptr || !StaysWritable(after, counterpart->range)) continue;
    pairs.push_back({&variable, counterpart});
  }
  return pairs;
}

std::vector<VariablePair> PairThreadLocals(const Program& before, const Program& after) {
  std::unordered_map<std::string, const Variable*> by_key;
  for (const Variable& variable : after.variables()) {
    if (variable.thread_local_storage) by_key.emplace(variable.Key(), &variable);
  }
  std::vector<VariablePair> pairs;
  for (const Variable& variable : before.variables()) {
    if (!variable.thread_local_storage) continue;
    const auto found = by_key.find(variable.Key());
    if (found != by_key.end()) pairs.push_back({&variable, found->second});
  }
  return pairs;
}

bool SameThreadLocals(const Program& before, const Program& after) {
  if (before.tls_size() != after.tls_size()) return false;
  if (!std::ranges::equal(before.tls_image(), after.tls_image())) return false;
  const auto count = [](const Program& program) {
    return std::ranges::count_if(program.variables(), &Variable::thread_local_storage);
  };
  const std::vector<VariablePair> pairs = PairThreadLocals(before, after);
  const auto all = static_cast<ptrdiff_t>(pairs.size());
  if (count(before) != all || count(after) != all) return false;
  return std::ranges::all_of(pairs, [&](const VariablePair& pair) {
    return pair.before->range == pair.after->range &&
           !LayoutDifference(before.types(), pair.before->type, after.types(), pair.after->type);
  });
}

}  // namespace mcr::mutator
