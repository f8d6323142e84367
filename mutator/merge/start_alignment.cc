#include "mutator/merge/start_alignment.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <numeric>
#include <unordered_map>

#include "mutator/graph/heap_chunks.h"

namespace mcr::mutator {
namespace {

using Kind = StartWord::Kind;

constexpr uint64_t kWord = 8;
constexpr int kMostRounds = 40;  // as deep as pointers lead, and some more
// What is said by more than one is believed if the others are few.
constexpr uint64_t kMajority = 4;
constexpr uint64_t kNamed = 1000, kAlike = 8, kUnlike = 1;  // how much a pointer's word counts
constexpr uint64_t kCompared = 8;                           // words, to tell what is alike
constexpr uint64_t kMostCells = 1 << 19;  // of a table for the longest common subsequence

Addr AlignedDown(Addr at) { return Addr(at.value() / kWord * kWord); }

// One of the starts.
class Side {
 public:
  Side(const RehearsedHeap& heap, const std::set<Addr>& typed) : heap_(heap), typed_(typed) {
    for (const HeapChunk& chunk : heap.chunks()) {
      if (chunk.in_use) ++sizes_[chunk.payload.size()];
    }
  }

  const RehearsedHeap& heap() const { return heap_; }

  std::optional<uint64_t> Word(Addr at) const {
    const auto word = heap_.memory().ReadValue<uint64_t>(at);
    return word ? std::optional(*word) : std::nullopt;
  }

  // The size of an allocation that begins there, if no other one has it. 0: none does.
  uint64_t OnlySize(Addr at) const {
    const HeapChunk* chunk = heap_.ChunkAt(at.value());
    if (chunk == nullptr || chunk->payload.begin() != at) return 0;
    return sizes_.at(chunk->payload.size()) == 1 ? chunk->payload.size() : 0;
  }

  void Bound(std::vector<Addr> places) {
    for (Addr& at : places) at = AlignedDown(at);
    std::ranges::sort(places);
    places_ = std::move(places);
  }

  // The words from `at` to the next known place. Empty in memory that is not to be followed.
  Range<Addr> Behind(Addr at) const {
    const HeapChunk* chunk = heap_.ChunkAt(at.value());
    if (chunk == nullptr || typed_.contains(chunk->payload.begin())) return {};
    const auto next = std::ranges::upper_bound(places_, at);
    Addr end = chunk->payload.end();
    if (next != places_.end()) end = std::min(end, *next);
    return *Range<Addr>::FromTo(at, std::max(at, AlignedDown(end)));
  }

 private:
  const RehearsedHeap& heap_;
  const std::set<Addr>& typed_;
  std::map<uint64_t, uint64_t> sizes_;  // of allocations, and how many have them
  std::vector<Addr> places_;
};

class Aligner {
 public:
  Aligner(const RehearsedHeap& before, const RehearsedHeap& after, StartWords& words,
          const StartAlignment::Known& known)
      : before_(before, known.typed_base),
        after_(after, known.typed_next),
        words_(words),
        known_(known) {}

  void Run() {
    places_ = known_.places;
    for (int round = 0; round < kMostRounds; ++round) {
      std::vector<StartPlace> next = Round();
      if (next == places_) return;
      places_ = std::move(next);
    }
  }

  const std::vector<StartPlace>& places() const { return places_; }
  std::vector<StartPlace>& matched() { return matched_; }

 private:
  std::vector<StartPlace> Round() {
    std::vector<Addr> base, next;
    for (const StartPlace& place : places_) {
      base.push_back(place.base);
      next.push_back(place.next);
    }
    before_.Bound(std::move(base));
    after_.Bound(std::move(next));
    votes_.clear();
    back_.clear();
    alike_.clear();
    matched_.clear();
    for (const StartPlace& place : known_.places) Vote(place, kNamed);
    for (const StartPlace& place : known_.likely) Vote(place, AreAlike(place) ? kAlike : kUnlike);
    for (const StartPlace& place : places_) {
      if (place.base.value() % kWord != 0 || place.next.value() % kWord != 0) continue;
      Match(before_.Behind(place.base), after_.Behind(place.next));
    }
    return Count();
  }

  void Vote(const StartPlace& place, uint64_t weight) {
    votes_[place.base][place.next] += weight;
    back_[place.next][place.base] += weight;
    if (weight >= kAlike) alike_.insert({place.base, place.next});
  }

  // Those that nearly all agree about, in both directions.
  std::vector<StartPlace> Count() const {
    std::vector<StartPlace> places;
    for (const auto& [base, votes] : votes_) {
      const auto next = Winner(votes);
      if (!next || Winner(back_.at(*next)) != base || !alike_.contains({base, *next})) continue;
      places.push_back({base, *next});
    }
    return places;
  }

  static std::optional<Addr> Winner(const std::map<Addr, uint64_t>& votes) {
    const auto most =
        std::ranges::max_element(votes, {}, [](const auto& each) { return each.second; });
    uint64_t others = 0;
    for (const auto& [at, weight] : votes) {
      if (at != most->first) others += weight;
    }
    return others * kMajority > most->second ? std::nullopt : std::optional(most->first);
  }

  void Match(Range<Addr> base, Range<Addr> next) {
    const uint64_t common = std::min(base.size(), next.size());
    uint64_t at = 0;
    while (at < common && Corresponds(base.begin() + at, next.begin() + at)) {
      Found({base.begin() + at, next.begin() + at});
      at += kWord;
    }
    Subsequence(base.begin() + at, (base.size() - at) / kWord, next.begin() + at,
                (next.size() - at) / kWord);
  }

  // One of the two may be much longer where the next places are not known yet.
  void Subsequence(Addr base, uint64_t rows, Addr next, uint64_t columns) {
    const uint64_t most = 2 * std::min(rows, columns) + kCompared;
    rows = std::min(rows, most);
    columns = std::min(columns, most);
    if (rows == 0 || columns == 0 || rows * columns > kMostCells) return;
    const auto same = [&](uint64_t row, uint64_t column) {
      return Corresponds(base + row * kWord, next + column * kWord);
    };
    std::vector<uint32_t> length((rows + 1) * (columns + 1));
    const auto cell = [&](uint64_t row, uint64_t column) -> uint32_t& {
      return length[row * (columns + 1) + column];
    };
    for (uint64_t row = rows; row-- > 0;) {
      for (uint64_t column = columns; column-- > 0;) {
        cell(row, column) = same(row, column)
                                ? cell(row + 1, column + 1) + 1
                                : std::max(cell(row + 1, column), cell(row, column + 1));
      }
    }
    for (uint64_t row = 0, column = 0; row < rows && column < columns;) {
      if (same(row, column)) {
        Found({base + row++ * kWord, next + column++ * kWord});
      } else if (cell(row + 1, column) >= cell(row, column + 1)) {
        ++row;
      } else {
        ++column;
      }
    }
  }

  // Words that correspond: what they point to does, too.
  void Found(const StartPlace& words) {
    matched_.push_back(words);
    if (InBase(words.base).kind != Kind::kHeap) return;
    Vote({Addr(*before_.Word(words.base)), Addr(*after_.Word(words.next))}, kAlike);
  }

  bool Corresponds(Addr base, Addr next) {
    const StartWord word = InBase(base);
    if (word != InNext(next)) return false;
    return word.kind != Kind::kHeap ||
           AreAlike({Addr(*before_.Word(base)), Addr(*after_.Word(next))});
  }

  // Whether most of the first words are the same, or both are the same text, or both begin the only
  // allocation of that size.
  bool AreAlike(const StartPlace& place) {
    const auto [known, is_new] = alike_there_.try_emplace(place.base.value());
    const auto [verdict, is_first] = known->second.try_emplace(place.next.value(), false);
    if (is_first) verdict->second = Compare(place);
    return verdict->second;
  }

  bool Compare(const StartPlace& place) {
    const uint64_t only = before_.OnlySize(place.base);
    if (SameText(place) || (only != 0 && only == after_.OnlySize(place.next))) return true;
    if (place.base.value() % kWord != 0 || place.next.value() % kWord != 0) return false;
    const HeapChunk* base = before_.heap().ChunkAt(place.base.value());
    const HeapChunk* next = after_.heap().ChunkAt(place.next.value());
    if (base == nullptr || next == nullptr) return false;
    const uint64_t size = std::min(
        {kCompared * kWord, base->payload.end() - place.base, next->payload.end() - place.next});
    uint64_t same = 0, different = 0;
    for (uint64_t at = 0; at + kWord <= size; at += kWord) {
      const StartWord ours = InBase(place.base + at), theirs = InNext(place.next + at);
      if (ours == theirs && ours == StartWord{}) continue;  // unused memory is zero, too
      ++(ours == theirs ? same : different);
    }
    return same >= different;
  }

  bool SameText(const StartPlace& place) const {
    const auto ours = before_.heap().memory().ReadString(place.base);
    const auto theirs = after_.heap().memory().ReadString(place.next);
    return ours && theirs && *ours == *theirs && !ours->empty() &&
           std::ranges::all_of(*ours, [](unsigned char c) { return std::isprint(c) != 0; });
  }

  StartWord InBase(Addr at) { return Say(at, before_, in_base_, &StartWords::OfBase); }
  StartWord InNext(Addr at) { return Say(at, after_, in_next_, &StartWords::OfNext); }

  StartWord Say(Addr at, const Side& side, std::unordered_map<uint64_t, StartWord>& known,
                StartWord (StartWords::*of)(uint64_t)) {
    const auto [entry, is_new] = known.try_emplace(at.value());
    if (is_new) {
      const auto word = side.Word(at);
      entry->second = word ? (words_.*of)(*word) : StartWord{Kind::kGone, at.value()};
    }
    return entry->second;
  }

  Side before_, after_;
  StartWords& words_;
  const StartAlignment::Known& known_;
  std::vector<StartPlace> places_;
  std::vector<StartPlace> matched_;
  std::map<Addr, std::map<Addr, uint64_t>> votes_, back_;
  std::set<std::pair<Addr, Addr>> alike_;  // that at least one who says so is sure of
  std::unordered_map<uint64_t, std::unordered_map<uint64_t, bool>> alike_there_;
  std::unordered_map<uint64_t, StartWord> in_base_, in_next_;
};

std::optional<Addr> Lookup(const std::vector<StartPlace>& places, Addr StartPlace::* from,
                           Addr StartPlace::* to, Addr at) {
  const auto found = std::ranges::lower_bound(places, at, {}, from);
  if (found == places.end() || (*found).*from != at) return std::nullopt;
  return (*found).*to;
}

// Sets of allocations that are joined one by one.
class Union {
 public:
  explicit Union(size_t size) : parents_(size) { std::iota(parents_.begin(), parents_.end(), 0); }

  size_t Root(size_t index) {
    while (parents_[index] != index) index = parents_[index] = parents_[parents_[index]];
    return index;
  }
  void Join(size_t one, size_t other) { parents_[Root(one)] = Root(other); }

 private:
  std::vector<size_t> parents_;
};

}  // namespace

StartAlignment::Places::Places(std::vector<StartPlace> places)
    : by_base(std::move(places)), by_next(by_base) {
  std::ranges::stable_sort(by_base, {}, &StartPlace::base);
  std::ranges::stable_sort(by_next, {}, &StartPlace::next);
}

StartAlignment StartAlignment::Find(const RehearsedHeap& before, const RehearsedHeap& after,
                                    StartWords& words, const Known& known) {
  Aligner aligner(before, after, words, known);
  aligner.Run();
  StartAlignment alignment;
  alignment.places_ = Places(aligner.places());
  alignment.words_ = Places(std::move(aligner.matched()));
  return alignment;
}

std::optional<Addr> StartAlignment::ToNext(Addr base) const {
  return Lookup(places_.by_base, &StartPlace::base, &StartPlace::next, base);
}

std::optional<Addr> StartAlignment::ToBase(Addr next) const {
  return Lookup(places_.by_next, &StartPlace::next, &StartPlace::base, next);
}

std::optional<Addr> StartAlignment::WordInBase(Addr next) const {
  return Lookup(words_.by_next, &StartPlace::next, &StartPlace::base, next);
}

std::optional<Addr> StartAlignment::WordInNext(Addr base) const {
  return Lookup(words_.by_base, &StartPlace::base, &StartPlace::next, base);
}

std::vector<StartAlignment::Group> StartAlignment::Groups(const RehearsedHeap& before,
                                                          const RehearsedHeap& after,
                                                          const Known& known) const {
  const auto& ours = before.chunks();
  const auto& theirs = after.chunks();
  Union joined(ours.size() + theirs.size());
  std::vector<bool> shifted(ours.size()), led_to(ours.size());
  for (const StartPlace& place : places()) {
    const HeapChunk* base = before.ChunkAt(place.base.value());
    const HeapChunk* next = after.ChunkAt(place.next.value());
    if (base == nullptr || next == nullptr) continue;
    if (known.typed_base.contains(base->payload.begin()) ||
        known.typed_next.contains(next->payload.begin())) {
      continue;
    }
    const auto from = static_cast<size_t>(base - ours.data());
    const auto to = static_cast<size_t>(next - theirs.data());
    joined.Join(from, ours.size() + to);
    led_to[from] = true;
    const bool same_offset =
        place.base - base->payload.begin() == place.next - next->payload.begin();
    if (!same_offset || base->payload.size() != next->payload.size()) shifted[from] = true;
  }
  std::map<size_t, Group> groups;
  std::set<size_t> in_parts;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (shifted[i]) in_parts.insert(joined.Root(i));
    if (led_to[i]) groups[joined.Root(i)].base.push_back(ours[i].payload);
  }
  for (size_t i = 0; i < theirs.size(); ++i) {
    const auto group = groups.find(joined.Root(ours.size() + i));
    if (group != groups.end()) group->second.next.push_back(theirs[i].payload);
  }
  std::vector<Group> found;
  for (auto& [root, group] : groups) {
    group.in_place = group.base.size() == 1 && group.next.size() == 1 && !in_parts.contains(root);
    found.push_back(std::move(group));
  }
  std::ranges::sort(found, {}, [](const Group& group) { return group.base.front().begin(); });
  return found;
}

}  // namespace mcr::mutator
