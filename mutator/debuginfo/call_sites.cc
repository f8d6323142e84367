#include "mutator/debuginfo/call_sites.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace mcr::mutator {
namespace {

// GCC tells clones of a function apart by suffixes: f.isra.0, f.part.1.
std::string WithoutClone(std::string name) {
  const size_t quote = name.find('`');
  const size_t dot = name.find('.', quote == std::string::npos ? 0 : quote);
  if (dot == std::string::npos || !name.starts_with("function")) return name;
  return name.substr(0, dot) + "`";
}

std::string CalleeOf(const Instruction& call, const ReferentNamer& names) {
  if (call.reference == Reference::kNone) return "a function pointer";
  return WithoutClone(names.Name(call).value_or("something unknown"));
}

// Lengths of the longest common subsequences of all pairs of beginnings (Hunt and McIlroy 1976).
class Alignment {
 public:
  Alignment(const std::vector<CallSite>& before, const std::vector<CallSite>& after, bool backward)
      : width_(after.size() + 1), lengths_((before.size() + 1) * width_) {
    const auto at = [&](const std::vector<CallSite>& calls, size_t i) -> const CallSite& {
      return backward ? calls[calls.size() - 1 - i] : calls[i];
    };
    for (size_t i = 0; i < before.size(); ++i) {
      for (size_t j = 0; j < after.size(); ++j) {
        const bool same = at(before, i).callee == at(after, j).callee;
        Edit(i + 1, j + 1) = same ? Length(i, j) + 1 : std::max(Length(i, j + 1), Length(i + 1, j));
      }
    }
  }
  size_t Length(size_t i, size_t j) const { return lengths_[i * width_ + j]; }

 private:
  size_t& Edit(size_t i, size_t j) { return lengths_[i * width_ + j]; }
  size_t width_;
  std::vector<size_t> lengths_;
};

}  // namespace

std::vector<CallSite> ListCalls(const FunctionCode& code, const Disassembler& disassembler,
                                const Program& program, const ReferentNamer& names,
                                const FrameVariables& lines) {
  std::map<std::pair<SourcePlace, std::string>, std::vector<FileAddr>> found;
  for (const FunctionCode::Part& part : code.parts()) {
    for (const Instruction& each : part.instructions) {
      const Effects effects = disassembler.EffectsOf(program.Contents(each.at), each.at);
      if (effects.flow != Flow::kCall) continue;
      found[{lines.PlaceOf(each.at), CalleeOf(each, names)}].push_back(each.end());
    }
  }
  std::vector<CallSite> calls;
  for (auto& [key, returns] : found) calls.push_back({key.first, key.second, std::move(returns)});
  return calls;
}

Result<FileAddr> FindSameCall(const std::vector<CallSite>& before, FileAddr old_return,
                              const std::vector<CallSite>& after) {
  const auto call = std::ranges::find_if(before, [&](const CallSite& each) {
    return std::ranges::find(each.returns, old_return) != each.returns.end();
  });
  if (call == before.end()) return Fail("no call returns there", Hex(old_return));
  const auto count = [&](const std::vector<CallSite>& calls) {
    return std::ranges::count(calls, call->callee, &CallSite::callee);
  };
  const bool only_one = count(before) == 1 && count(after) == 1;
  const auto index = static_cast<size_t>(call - before.begin());
  const Alignment ahead(before, after, false), behind(before, after, true);
  const size_t best = ahead.Length(before.size(), after.size());
  // The best that can be done if the calls so far have partners up to j, and this one `partners`.
  const auto length = [&](size_t j, size_t partners) {
    return ahead.Length(index, j) + partners +
           behind.Length(before.size() - index - 1, after.size() - j - partners);
  };
  std::optional<size_t> partner;
  bool several = false;
  for (size_t j = 0; j < after.size(); ++j) {
    several |= !only_one && length(j, 0) == best;
    if (after[j].callee != call->callee) continue;
    if (!only_one && length(j, 1) != best) continue;
    several |= partner.has_value();
    partner = j;
  }
  if (!partner) return Fail("the new version does not make its call of " + call->callee);
  several |= !only_one && length(after.size(), 0) == best;
  if (several || after[*partner].returns.size() != 1) {
    return Fail("the new version has several calls that may be its call of " + call->callee);
  }
  return after[*partner].returns.front();
}

}  // namespace mcr::mutator
