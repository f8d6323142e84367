#include "mutator/merge/fresh_shared.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mutator/graph/memory_scan.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

// The functions of whose pointers an annotation says that the memory around them is fresh.
std::set<Addr> Functions(const ChangedModule& module) {
  std::set<Addr> addresses;
  RecipeBook& recipes = module.map().recipes();
  for (const profiles::Shared& entry : recipes.annotations().shared()) {
    const std::set<TypeId> types = recipes.OldTypes(entry.type());
    const bool changes =
        std::ranges::any_of(types, [&](TypeId type) { return recipes.Changes(type); });
    if (!entry.from_start() || entry.function().empty() || !changes) continue;
    addresses.merge(AddressesOf(entry.function(), module.before(), module.live.bias));
  }
  return addresses;
}

bool PointsTo(const checkpoint::ProcessImage& image, Range<Addr> range,
              const std::set<Addr>& targets) {
  bool found = false;
  const Status read = EachWord(image, image, range, [&](Addr, uint64_t word) {
    found = found || targets.contains(Addr(word));
  });
  return read && found;
}

}  // namespace

std::set<Addr> AddressesOf(const std::string& function, const Program& program, Addr bias) {
  std::set<Addr> addresses;
  for (const Function& each : program.functions()) {
    if (each.name == function) addresses.insert(bias + each.range.begin().value());
  }
  return addresses;
}

std::vector<Mapping> WritableShared(const checkpoint::ProcessImage& image) {
  std::vector<Mapping> shared;
  for (const Mapping& mapping : ScannedOutside(image, {})) {
    if (mapping.shared && mapping.writable) shared.push_back(mapping);
  }
  return shared;
}

bool SameMappings(const std::vector<Mapping>& one, const std::vector<Mapping>& other) {
  return std::ranges::equal(one, other, [](const Mapping& a, const Mapping& b) {
    return a.range.size() == b.range.size();
  });
}

FreshShared FreshShared::Find(const checkpoint::ProcessImage& live,
                              const checkpoint::ProcessImage& next, const ChangedModules& modules,
                              ImageMap& next_to_live) {
  FreshShared fresh(live, next);
  std::set<Addr> functions;
  for (const ChangedModule& module : modules.all()) functions.merge(Functions(module));
  if (functions.empty()) return fresh;
  const std::vector<Mapping> ours = WritableShared(live), theirs = WritableShared(next);
  const bool known = SameMappings(ours, theirs);
  for (size_t i = 0; i < ours.size(); ++i) {
    if (!PointsTo(live, ours[i].range, functions)) continue;
    if (!known) {
      fresh.problems_.push_back(fmt::format(
          "the memory at {}, which processes share, is to be as the new version's start leaves it, "
          "and that shares other memory",
          Hex(ours[i].range.begin())));
      continue;
    }
    fresh.ranges_.push_back(ours[i].range);
    fresh.starts_.push_back(theirs[i].range);
    next_to_live.AddObject(theirs[i].range, ours[i].range.begin());
  }
  return fresh;
}

bool FreshShared::Holds(Addr at) const {
  return std::ranges::any_of(ranges_, [&](const Range<Addr>& range) { return range.Contains(at); });
}

Status FreshShared::Write(const Range<Addr>& range, const ImageMap& next_to_live,
                          checkpoint::ProcessGraft& graft) const {
  const auto index = static_cast<size_t>(std::ranges::find(ranges_, range) - ranges_.begin());
  const Range<Addr>& start = starts_[index];
  std::vector<uint64_t> words(range.size() / kWord), before(words.size());
  MCR_TRY(next_->Read(start.begin(), std::as_writable_bytes(std::span(words))));
  MCR_TRY(live_->Read(range.begin(), std::as_writable_bytes(std::span(before))));
  for (size_t i = 0; i < words.size(); ++i) {
    ImageMap::Word word = next_to_live.Translate(words[i]);
    if (Addr(words[i]) == start.end()) word = {ImageMap::Kind::kPointer, range.end().value()};
    if (word.kind == ImageMap::Kind::kForeign) {
      return Fail(
          "in memory that processes share, the new version's start leaves a pointer to "
          "memory of its own",
          Hex(range.begin() + i * kWord));
    }
    if (word.value != before[i]) graft.writes.AddWord(range.begin() + i * kWord, word.value);
  }
  return {};
}

Status FreshShared::RefusePointers(const std::function<bool(Addr)>& is_pointer,
                                   std::vector<std::string>& problems) const {
  if (ranges_.empty()) return {};
  const auto is_begin = [&](Addr at) {
    return std::ranges::find(ranges_, at, &Range<Addr>::begin) != ranges_.end();
  };
  for (const Mapping& mapping : ScannedOutside(*live_, {})) {
    if (mapping.shared || !mapping.writable) continue;
    MCR_TRY(EachWord(*live_, *live_, mapping.range, [&](Addr at, uint64_t word) {
      if (!Holds(Addr(word)) || is_begin(Addr(word)) || !is_pointer(at)) return;
      problems.push_back(fmt::format(
          "the word at {} points to {}, in memory that processes share, of which an annotation "
          "says that it is as the new version's start leaves it (annotation: shared, from_start)",
          Hex(at), Hex(Addr(word))));
    }));
  }
  return {};
}

}  // namespace mcr::mutator
