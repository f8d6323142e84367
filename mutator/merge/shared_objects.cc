#include "mutator/merge/shared_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "mcr/base/mapping.h"
#include "mutator/graph/plausible.h"
#include "mutator/graph/same_word.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

// `image`: nullptr for none.
std::vector<Mapping> SharedBy(const checkpoint::ProcessImage* image) {
  return image == nullptr ? std::vector<Mapping>() : WritableShared(*image);
}

// One of them, and the same in a start of each version.
class SharedMapping {
 public:
  struct Side {
    const checkpoint::ProcessImage& image;
    Range<Addr> range;
    const WordsOf& words;
  };

  SharedMapping(const Snapshot& memory, const Side& live) : memory_(memory), live_(live) {}
  void Know(const Side& base, const Side& next) {
    base_.emplace(base);
    next_.emplace(next);
  }

  // Where words of the mapping itself point to in it, and its begin: objects may begin there.
  std::set<Addr> Places() const {
    std::set<Addr> places = {live_.range.begin()};
    EachWord([&](uint64_t word) {
      if (word % kWord == 0 && live_.range.Contains(Addr(word))) places.insert(Addr(word));
    });
    return places;
  }

  bool PointsToAny(const std::set<Addr>& targets) const {
    bool found = false;
    EachWord([&](uint64_t word) { found = found || targets.contains(Addr(word)); });
    return found;
  }

  // Whether nobody has touched it since the old version's start, and the new one's leaves the same.
  bool IsSettled(Range<Addr> range) const {
    if (!base_) return false;
    for (Addr at = range.begin(); at + kWord <= range.end(); at = at + kWord) {
      const uint64_t offset = at - live_.range.begin();
      const auto word = memory_.ReadValue<uint64_t>(at);
      const auto base = base_->image.ReadValue<uint64_t>(base_->range.begin() + offset);
      const auto next = next_->image.ReadValue<uint64_t>(next_->range.begin() + offset);
      if (!word || !base || !next) return false;
      if (!AreSame(live_, *word, *base_, *base) || !AreTheStarts(*base, *next)) return false;
    }
    return true;
  }

 private:
  static bool AreSame(const Side& one, uint64_t here, const Side& other, uint64_t there) {
    const bool inside = one.range.Contains(Addr(here));
    if (inside != other.range.Contains(Addr(there))) return false;
    if (inside) return Addr(here) - one.range.begin() == Addr(there) - other.range.begin();
    return one.words.MaySay(here, other.words, there);
  }

  template <typename Visit>
  void EachWord(const Visit& visit) const {
    const auto populated = memory_.image().PopulatedRanges(live_.range);
    if (!populated) return;
    for (const Range<Addr>& range : *populated) {
      for (Addr at = range.begin(); at + kWord <= range.end(); at = at + kWord) {
        if (const auto word = memory_.ReadValue<uint64_t>(at)) visit(*word);
      }
    }
  }

  // Of pointers to memory of their own, nobody says what corresponds to what.
  bool AreTheStarts(uint64_t base, uint64_t next) const {
    const auto is_pointer = [](const Side& side, uint64_t word) {
      return FindMapping(side.image.mappings(), Addr(word)) != nullptr;
    };
    const bool outside = !base_->range.Contains(Addr(base)) && !next_->range.Contains(Addr(next));
    if (outside && is_pointer(*base_, base) && is_pointer(*next_, next)) return true;
    return AreSame(*base_, base, *next_, next);
  }

  const Snapshot& memory_;
  Side live_;
  std::optional<Side> base_, next_;
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

// The types that may be there, as annotations say.
class Candidates {
 public:
  Candidates(const RecipeBook& recipes, const Program& program, Addr bias,
             std::vector<TypeId> types)
      : all_(std::move(types)) {
    const profiles::Annotations& annotations = recipes.annotations();
    for (const profiles::Shared& entry : annotations.shared()) {
      entries_.push_back({recipes.OldTypes(entry.type()), {}});
      if (entry.function().empty()) continue;
      entries_.back().functions = AddressesOf(entry.function(), program, bias);
    }
    const std::set<TypeId> elsewhere = recipes.OldTypes(annotations.not_allocated());
    std::erase_if(all_, [&](TypeId type) {
      if (entries_.empty()) return elsewhere.contains(type);
      return std::ranges::none_of(entries_,
                                  [&](const Entry& entry) { return entry.types.contains(type); });
    });
  }

  bool empty() const { return all_.empty(); }
  // One of them has been found.
  void Forget(TypeId type) { std::erase(all_, type); }

  std::vector<TypeId> In(const SharedMapping& mapping) const {
    std::vector<TypeId> types = all_;
    for (const Entry& entry : entries_) {
      if (entry.functions.empty() || mapping.PointsToAny(entry.functions)) continue;
      std::erase_if(types, [&](TypeId type) { return entry.types.contains(type); });
    }
    return types;
  }

 private:
  struct Entry {
    std::set<TypeId> types;
    std::set<Addr> functions;  // none: nothing is said
  };

  std::vector<Entry> entries_;
  std::vector<TypeId> all_;
};

}  // namespace

std::vector<std::string> FindInSharedMemory(const Snapshot& memory, const Starts& starts,
                                            const Program& program, Addr bias, RecipeBook& recipes,
                                            std::vector<TypeId> types, const FreshShared& fresh) {
  const bool is_annotated = !recipes.annotations().shared().empty();
  Candidates candidates(recipes, program, bias, std::move(types));
  if (candidates.empty()) return {};
  const std::vector<Mapping> live = SharedBy(&memory.image()), base = SharedBy(starts.base),
                             next = SharedBy(starts.next);
  if (live.empty()) return {};
  const bool known = SameMappings(live, base) && SameMappings(live, next);
  const WordsOf live_words(memory.image());
  std::optional<WordsOf> base_words, next_words;
  if (known) {
    base_words.emplace(*starts.base);
    next_words.emplace(*starts.next);
  }
  std::vector<std::string> problems;
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < live.size(); ++i) {
    if (fresh.Holds(live[i].range.begin())) continue;
    SharedMapping mapping(memory, {memory.image(), live[i].range, live_words});
    if (known) {
      mapping.Know({*starts.base, base[i].range, *base_words},
                   {*starts.next, next[i].range, *next_words});
    }
    std::vector<TypeId> left = candidates.In(mapping);
    for (const Addr place : mapping.Places()) {
      std::erase_if(left, [&](TypeId type) {
        const Recipe& recipe = recipes.Get(type);
        const auto range = Range<Addr>::FromSize(place, recipe.from_size);
        if (!range || !live[i].range.Contains(*range)) return false;
        bytes.resize(range->size());
        if (!memory.Read(place, bytes)) return false;
        if (!IsPlausible(recipe, bytes, memory.image().mappings(), recipes)) return false;
        // What nothing in there leads to, and which leads nowhere, is some other type's.
        const bool is_begin = place == live[i].range.begin();
        if (is_annotated && is_begin && !PointsSomewhere(recipe, bytes)) return false;
        if (mapping.IsSettled(*range)) return false;
        problems.push_back(fmt::format(
            "{} changed, and one may be at {}, in memory that processes share, which stays as it "
            "is: nothing says what is there (annotation: shared, with the types that may be, or "
            "not_allocated)",
            recipes.before().Describe(type), Hex(place)));
        candidates.Forget(type);
        return true;
      });
    }
  }
  return problems;
}

}  // namespace mcr::mutator
