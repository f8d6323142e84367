#include "mutator/merge/shared_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <span>

#include "mcr/base/mapping.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/plausible.h"
#include "mutator/graph/same_word.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

std::vector<Mapping> SharedBy(const checkpoint::ProcessImage& image) {
  std::vector<Mapping> shared;
  for (const Mapping& mapping : ScannedOutside(image, {})) {
    if (mapping.shared && mapping.writable) shared.push_back(mapping);
  }
  return shared;
}

// What the server has done to one of them.
class SharedMapping {
 public:
  // `start`: the same in a start of the old version; nullptr: it is not known.
  SharedMapping(const Snapshot& memory, const Mapping& mapping,
                const checkpoint::ProcessImage* base, const Mapping* start)
      : memory_(memory), mapping_(mapping), base_(base), start_(start) {
    if (base != nullptr) words_.emplace(Both{WordsOf(memory.image()), WordsOf(*base)});
  }

  void Search() {
    places_.insert(mapping_.range.begin());
    const auto populated = memory_.image().PopulatedRanges(mapping_.range);
    if (!populated) return;
    for (const Range<Addr>& range : *populated) {
      for (Addr at = range.begin(); at + kWord <= range.end(); at = at + kWord) {
        const auto word = memory_.ReadValue<uint64_t>(at);
        if (!word) continue;
        if (*word % kWord == 0 && mapping_.range.Contains(Addr(*word))) places_.insert(Addr(*word));
        if (*word != 0 && IsTouched(at, *word)) touched_.insert(at);
      }
    }
  }

  // Where words of the mapping itself point to in it, and its begin: objects may begin there.
  const std::set<Addr>& places() const { return places_; }
  bool IsTouched(Range<Addr> range) const {
    const auto first = touched_.lower_bound(range.begin());
    return first != touched_.end() && *first < range.end();
  }

 private:
  bool IsTouched(Addr at, uint64_t word) const {
    if (start_ == nullptr) return true;
    const auto base =
        base_->ReadValue<uint64_t>(start_->range.begin() + (at - mapping_.range.begin()));
    if (!base) return true;
    const bool inside = mapping_.range.Contains(Addr(word));
    if (inside && start_->range.Contains(Addr(*base))) {
      return Addr(word) - mapping_.range.begin() != Addr(*base) - start_->range.begin();
    }
    return inside || !words_->live.MaySay(word, words_->base, *base);
  }

  struct Both {
    WordsOf live, base;
  };

  const Snapshot& memory_;
  const Mapping& mapping_;
  const checkpoint::ProcessImage* base_;
  const Mapping* start_;
  std::optional<Both> words_;
  std::set<Addr> places_, touched_;
};

bool PointsSomewhere(const Recipe& recipe, std::span<const std::byte> value) {
  return std::ranges::any_of(recipe.steps, [&](const Step& step) {
    if (step.kind == Step::Kind::kNested) {
      return PointsSomewhere(*step.element, value.subspan(step.from));
    }
    uint64_t word = 0;
    if (step.kind == Step::Kind::kPointer) std::memcpy(&word, value.data() + step.from, kWord);
    return word != 0;
  });
}

// An annotation may say what else is not there.
std::vector<TypeId> MayBeShared(RecipeBook& recipes, std::vector<TypeId> types) {
  const auto& names = recipes.annotations().shared();
  if (names.empty()) return types;
  std::set<TypeId> shared;
  for (const std::string& name : names) shared.insert(recipes.OldType(name));
  std::erase_if(types, [&](TypeId type) { return !shared.contains(type); });
  return types;
}

}  // namespace

std::vector<std::string> FindInSharedMemory(const Snapshot& memory,
                                            const checkpoint::ProcessImage* base,
                                            RecipeBook& recipes, std::vector<TypeId> types) {
  const bool is_annotated = !recipes.annotations().shared().empty();
  types = MayBeShared(recipes, std::move(types));
  if (types.empty()) return {};
  const std::vector<Mapping> live = SharedBy(memory.image());
  const std::vector<Mapping> start = base == nullptr ? std::vector<Mapping>() : SharedBy(*base);
  const bool same = std::ranges::equal(live, start, [](const Mapping& a, const Mapping& b) {
    return a.range.size() == b.range.size();
  });
  std::vector<std::string> problems;
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < live.size(); ++i) {
    SharedMapping mapping(memory, live[i], base, same ? &start[i] : nullptr);
    mapping.Search();
    for (const Addr place : mapping.places()) {
      std::erase_if(types, [&](TypeId type) {
        const Recipe& recipe = recipes.Get(type);
        const auto range = Range<Addr>::FromSize(place, recipe.from_size);
        if (!range || !live[i].range.Contains(*range) || !mapping.IsTouched(*range)) return false;
        bytes.resize(range->size());
        if (!memory.Read(place, bytes)) return false;
        if (!IsPlausible(recipe, bytes, memory.image().mappings(), recipes)) return false;
        // What nothing in there leads to, and which leads nowhere, is some other type's.
        const bool is_begin = place == live[i].range.begin();
        if (is_annotated && is_begin && !PointsSomewhere(recipe, bytes)) return false;
        problems.push_back(fmt::format(
            "{} changed, and one may be at {}, in memory that processes share and that the server "
            "has changed: nothing says what is there (annotation: shared, with the types that may "
            "be, or not_allocated)",
            recipes.before().Describe(type), Hex(place)));
        return true;
      });
    }
  }
  return problems;
}

}  // namespace mcr::mutator
