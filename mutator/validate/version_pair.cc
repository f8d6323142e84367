#include "mutator/validate/version_pair.h"

#include <algorithm>
#include <utility>

#include "mcr/base/range.h"
#include "mutator/merge/variable_pairs.h"

namespace mcr::mutator {
namespace {

// Writable, and not only until start-up is over. Not asked of the merge, whose mistake about it is
// to be found, too.
bool IsState(const Program& program, const Variable& variable) {
  if (variable.thread_local_storage || variable.range.empty()) return false;
  if (!program.relro().empty() && program.relro().Overlaps(variable.range)) return false;
  return std::ranges::any_of(program.segments(), [&](const Segment& segment) {
    return segment.writable && segment.range.Contains(variable.range);
  });
}

}  // namespace

VersionPair::VersionPair(std::shared_ptr<const Program> before,
                         std::shared_ptr<const Program> after, profiles::Annotations annotations)
    : before_(std::move(before)),
      after_(std::move(after)),
      annotations_(std::move(annotations)),
      layouts_(before_->types(), after_->types(), annotations_) {
  for (const Variable& variable : after_->variables()) {
    if (!variable.thread_local_storage) new_variables_.emplace(variable.Key(), &variable);
  }
  const auto name = [](const Program& program, Names& names) {
    for (const Function& function : program.functions()) {
      names.emplace(function.range.begin(), function.name);
    }
    for (const Symbol& symbol : program.symbols()) {
      if (symbol.kind != SymbolKind::kTls) names.emplace(symbol.range.begin(), symbol.name);
    }
  };
  name(*before_, before_names_);
  name(*after_, after_names_);
  for (const Variable& variable : before_->variables()) {
    const Variable* now = FindCounterpart(variable);
    if (now == nullptr) continue;
    counterparts_.emplace(&variable, now);
    if (!IsState(*before_, variable) || !IsState(*after_, *now)) {
      continue;
    }
    variables_.push_back(
        {&variable, now, LayoutOf(variable, *now), "variable `" + variable.name + "`"});
  }
}

const LayoutMatch* VersionPair::LayoutOf(const Variable& before, const Variable& after) const {
  if (before.type == 0 || after.type == 0) return nullptr;
  for (const profiles::TaggedPointer& annotation : annotations_.tagged_pointer()) {
    if (!IsCalled(before, annotation.field())) continue;
    return &layouts_.GetTagged(annotation, before.type, after.type);
  }
  return &layouts_.Get(before.type, after.type);
}

const Variable* VersionPair::Counterpart(const Variable& old_variable) const {
  const auto found = counterparts_.find(&old_variable);
  return found == counterparts_.end() ? nullptr : found->second;
}

const Variable* VersionPair::FindCounterpart(const Variable& old_variable) const {
  Variable wanted = old_variable;
  for (const std::string& dropped : annotations_.drop()) {
    if (IsCalled(old_variable, dropped)) return nullptr;
  }
  for (const profiles::Rename& rename : annotations_.rename()) {
    if (IsCalled(old_variable, rename.before())) wanted.name = rename.after();
  }
  const auto found = new_variables_.find(wanted.Key());
  return found == new_variables_.end() ? nullptr : found->second;
}

bool VersionPair::SameName(FileAddr before, FileAddr after) const {
  const auto [old_begin, old_end] = before_names_.equal_range(before);
  const auto [new_begin, new_end] = after_names_.equal_range(after);
  return std::any_of(old_begin, old_end, [&](const auto& old) {
    return std::any_of(new_begin, new_end,
                       [&](const auto& now) { return now.second == old.second; });
  });
}

}  // namespace mcr::mutator
