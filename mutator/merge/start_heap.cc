#include "mutator/merge/start_heap.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <deque>
#include <iterator>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mutator/graph/allocation_types.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/regions.h"
#include "mutator/merge/rehearsed_heap.h"
#include "mutator/merge/start_words.h"
#include "mutator/merge/variable_pairs.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;
// From where an allocation should be among the others, in which order others are looked at.
constexpr std::array<int64_t, 17> kDistances = {0, 1,  -1, 2,  -2, 3,  -3, 4, -4,
                                                5, -5, 6,  -6, 7,  -7, 8,  -8};

class Comparison {
 public:
  Comparison(const Base& base, const ChangedModule& module, RehearsedHeap& before,
             RehearsedHeap& after)
      : base_(base),
        module_(module),
        map_(module.map()),
        recipes_(module.map().recipes()),
        regions_(module.before(), recipes_),
        before_(before),
        after_(after) {}

  StartHeap Run() {
    const auto pairs =
        PairWritableVariables(module_.before(), module_.after(), map_.variable_names());
    for (const VariablePair& pair : pairs) {
      if (pair.before->type == 0 || pair.after->type == 0) continue;
      pending_.push_back({before_.bias() + pair.before->range.begin().value(),
                          after_.bias() + pair.after->range.begin().value(),
                          &map_.RecipeOf(*pair.before, *pair.after), 1, 0, 0, false,
                          pair.before->name});
    }
    while (!pending_.empty()) {
      const Visit visit = std::move(pending_.front());
      pending_.pop_front();
      Look(visit);
    }
    for (const Untyped& each : untyped_) CompareUntyped(each);
    Align();
    return std::move(heap_);
  }

 private:
  // Values that correspond.
  struct Visit {
    Addr before, after;
    const Recipe* recipe = nullptr;
    uint64_t count = 1;
    uint64_t room_before = 0, room_after = 0;  // of a flexible array
    bool in_heap = true;                       // or a variable
    std::string name;
  };
  // One of them.
  struct Value {
    const Visit& visit;
    const Recipe& recipe;
    std::span<const std::byte> before, after;  // from where `visit` begins
    uint64_t from, to;
    bool alone = true;  // or an element of an array
  };

  // Allocations that correspond, and of which the pointers to them do not say what they are.
  struct Untyped {
    const HeapChunk* before;
    const HeapChunk* after;
    bool text = false;  // a pointer to characters
    std::string name;
  };

  void Look(const Visit& visit) {
    const Recipe& recipe = *visit.recipe;
    if (!recipe.problem.empty()) return;
    std::vector<std::byte> before(std::max(recipe.from_size * visit.count, visit.room_before));
    std::vector<std::byte> after(std::max(recipe.to_size * visit.count, visit.room_after));
    if (!before_.memory().Read(visit.before, before) || !after_.memory().Read(visit.after, after))
      return;
    for (uint64_t i = 0; i < visit.count; ++i) {
      LookAt({visit, recipe, before, after, i * recipe.from_size, i * recipe.to_size, i == 0});
    }
    if (!recipe.flexible) return;
    const FlexibleArray& array = *recipe.flexible;
    const Recipe& element = *array.element;
    if (element.from_size == 0 || element.to_size == 0) return;
    uint64_t from = array.from, to = array.to;
    while (from + element.from_size <= before.size() && to + element.to_size <= after.size()) {
      LookAt({visit, element, before, after, from, to, false});
      from += element.from_size;
      to += element.to_size;
    }
  }

  void LookAt(const Value& value) {
    if (value.from + value.recipe.from_size > value.before.size() ||
        value.to + value.recipe.to_size > value.after.size()) {
      return;
    }
    for (const Step& step : value.recipe.steps) {
      switch (step.kind) {
        case Step::Kind::kPointer:
          LookAtPointer(value, step);
          break;
        case Step::Kind::kNested:
          for (uint64_t i = 0; i < step.count; ++i) {
            LookAt({value.visit, *step.element, value.before, value.after,
                    value.from + step.from + i * step.from_size,
                    value.to + step.to + i * step.to_size, value.alone && i == 0});
          }
          break;
        case Step::Kind::kBytes:
          if (!IsCopied(value, step)) LookAtLeaves(value, step, step.before, 0);
          break;
        case Step::Kind::kInteger:
        case Step::Kind::kFloat:
        case Step::Kind::kEnum:
        case Step::Kind::kBits:
          LookAtNumber(value, step);
          break;
        default:  // texts and unions are the server's; sizes follow their types
          break;
      }
    }
  }

  bool IsCopied(const Value& value, const Step& step) const {
    const Type& owner = recipes_.before()[value.recipe.before];
    return std::ranges::any_of(recipes_.annotations().copy(), [&](const std::string& annotated) {
      return RecipeBook::IsField(owner, step.field, annotated);
    });
  }

  // The numbers of a value that is the same bytes in both versions.
  void LookAtLeaves(const Value& value, const Step& step, TypeId type, uint64_t offset) {
    const TypeTable& types = recipes_.before();
    const Type& of = types[type];
    if (offset >= step.from_size) return;
    if (of.kind == TypeKind::kStruct) {
      for (const Member& member : of.members) {
        LookAtLeaves(value, step, member.type, offset + member.offset);
      }
    } else if (of.kind == TypeKind::kArray) {
      const uint64_t size = recipes_.Get(of.target).from_size;
      for (uint64_t i = 0; i < of.count && size != 0; ++i) {
        LookAtLeaves(value, step, of.target, offset + i * size);
      }
    } else if (of.size != 0 && offset + of.size <= step.from_size) {
      Step leaf = step;
      leaf.from += offset;
      leaf.to += offset;
      leaf.from_size = leaf.to_size = of.size;
      LookAtNumber(value, leaf);
    }
  }

  void LookAtNumber(const Value& value, const Step& step) {
    if (!value.visit.in_heap) return;  // start_values.h
    const auto old = value.before.subspan(value.from + step.from, step.from_size);
    const auto now = value.after.subspan(value.to + step.to, step.to_size);
    if (SameNumber(step, old, now) || AreKernelNames(old, now)) return;
    StartDifference difference = DifferenceAt(value, step);
    difference.next.assign(now.begin(), now.end());
    difference.bits = step.kind == Step::Kind::kBits;
    Add(std::move(difference));
  }

  // As the recipe would carry the old one over.
  static bool SameNumber(const Step& step, std::span<const std::byte> old,
                         std::span<const std::byte> now) {
    Recipe alone;
    alone.from_size = step.from_size;
    alone.to_size = step.to_size;
    alone.steps = {step};
    alone.steps[0].from = alone.steps[0].to = 0;
    std::vector<std::byte> carried(now.begin(), now.end());
    const auto same = [](const ValueWord& word) -> Result<uint64_t> { return word.word; };
    return Apply(alone, old, carried, same) && std::ranges::equal(carried, now);
  }

  bool AreKernelNames(std::span<const std::byte> old, std::span<const std::byte> now) const {
    uint32_t before = 0, after = 0;
    if (old.size() < sizeof before || now.size() < sizeof after) return false;
    std::memcpy(&before, old.data(), sizeof before);
    std::memcpy(&after, now.data(), sizeof after);
    return base_.names.contains(before) && base_.next_names.contains(after);
  }

  void LookAtPointer(const Value& value, const Step& step) {
    const uint64_t before = WordAt(value.before, value.from + step.from) & ~step.tag_mask;
    const uint64_t after = WordAt(value.after, value.to + step.to) & ~step.tag_mask;
    const HeapChunk* old_chunk = before_.ChunkAt(before);
    const HeapChunk* new_chunk = after_.ChunkAt(after);
    if (old_chunk != nullptr && new_chunk != nullptr) {
      // What fields lead to may be the next of a list.
      const bool named = value.alone && !value.visit.in_heap;
      auto& places = named ? known_.places : known_.likely;
      places.push_back({Addr(before), Addr(after)});
      return Pair(value, before, *old_chunk, after, *new_chunk, step);
    }
    if (old_chunk != nullptr || new_chunk != nullptr) {
      if (!value.visit.in_heap && IsPointer(value) && before == 0) return;  // is brought along
      return OtherMemory(NameOf(value, step), old_chunk, new_chunk);
    }
    if (value.visit.in_heap && step.tag_mask == 0) LookAtTarget(value, step, before, after);
  }

  // And nothing else.
  static bool IsPointer(const Value& value) {
    return value.recipe.from_size == kWord && value.recipe.to_size == kWord;
  }

  // Functions, variables and literals of the program.
  void LookAtTarget(const Value& value, const Step& step, uint64_t before, uint64_t after) {
    const bool in_old = InModule(before, before_.bias(), module_.live.range.size());
    const bool in_new = InModule(after, after_.bias(), module_.next.range.size());
    if (!in_new || (before != 0 && !in_old)) return;
    const FileAddr target(after - after_.bias().value());
    if (before != 0 &&
        IsCarriedTo(FileAddr(before - before_.bias().value()), step.before, target)) {
      return;
    }
    StartDifference difference = DifferenceAt(value, step);
    difference.target = target;
    Add(std::move(difference));
  }

  // Whether that is what a pointer of the old version becomes anyway.
  bool IsCarriedTo(FileAddr old_target, TypeId pointee, FileAddr new_target) const {
    const Translation translation = map_.Translate(old_target, pointee);
    if (translation.kind == PointerKind::kNone) return false;
    if (translation.to == new_target) return true;
    return translation.kind == PointerKind::kLiteral && SameText(translation.to, new_target);
  }

  bool SameText(FileAddr one, FileAddr other) const {
    const auto text = [&](FileAddr at) {
      const auto bytes = module_.after().Contents(at);
      const auto end = std::ranges::find(bytes, std::byte{0});
      return std::span(bytes.begin(), end);
    };
    return std::ranges::equal(text(one), text(other));
  }

  void Pair(const Value& value, uint64_t before, const HeapChunk& old_chunk, uint64_t after,
            const HeapChunk& new_chunk, const Step& step) {
    const std::string name = NameOf(value, step);
    TypeId type = Complete(step.before);
    if (recipes_.before()[type].kind == TypeKind::kFunction) return;
    const bool at_start =
        old_chunk.payload.begin() == Addr(before) && new_chunk.payload.begin() == Addr(after);
    if (at_start) Correspond(old_chunk, new_chunk, name);
    const bool plain = type == 0 || recipes_.before()[type].size <= 1;
    if (plain) {
      if (!at_start) return;
      untyped_.push_back({&old_chunk, &new_chunk, type != 0, name});
      // What has a name, but no definition, is a library's.
      const bool is_named = recipes_.before()[step.before].is_declaration;
      if (!is_named) heap_.own.insert(old_chunk.payload.begin());
      return;
    }
    const RegionKind* region = at_start ? regions_.WithBlock(type) : nullptr;
    // Headers lead to other blocks of their region, which may have less of one.
    const TypeId holder = value.recipe.before;
    const bool chained =
        region != nullptr && (holder == region->block || holder == region->chained);
    if (region != nullptr) type = chained ? region->chained : region->block;
    const TypeId counterpart = recipes_.Counterpart(type);
    const Recipe& recipe = recipes_.Get(type, counterpart);
    if (!visited_[&recipe].insert(Addr(before)).second) return;
    Visit visit{Addr(before), Addr(after), &recipe, 1, 0, 0, true, name};
    if (at_start) {
      before_.Reach(old_chunk);
      after_.Reach(new_chunk);
      if (region == nullptr) Measure(old_chunk, new_chunk, visit);
      if (region != nullptr) heap_.own.insert(old_chunk.payload.begin());
    }
    pending_.push_back(std::move(visit));
  }

  void Correspond(const HeapChunk& old_chunk, const HeapChunk& new_chunk, const std::string& name) {
    const auto [known, is_new] = heap_.counterparts.try_emplace(
        new_chunk.payload.begin(), StartHeap::Counterpart{old_chunk.payload, name});
    if (!is_new && known->second.base != old_chunk.payload) known->second.base = {};
  }

  // How many values there are, in both.
  void Measure(const HeapChunk& old_chunk, const HeapChunk& new_chunk, Visit& visit) {
    const Recipe& recipe = *visit.recipe;
    const uint64_t old_size = old_chunk.payload.size(), new_size = new_chunk.payload.size();
    if (recipe.flexible) {
      visit.room_before = old_size;
      visit.room_after = new_size;
      AreTyped(old_chunk, new_chunk);
      if (recipe.identity && old_size != new_size) {
        OtherMemory(visit.name, &old_chunk, &new_chunk);
      }
      return;
    }
    // malloc rounds up: there may be more of them than the fewest.
    const uint64_t ours = CountThatFits(old_size, recipe.from_size, old_chunk.mmapped);
    const uint64_t theirs = CountThatFits(new_size, recipe.to_size, new_chunk.mmapped);
    if (ours == 0 || theirs == 0) {
      if (old_size != new_size) OtherMemory(visit.name, &old_chunk, &new_chunk);
      return;
    }
    AreTyped(old_chunk, new_chunk);
    const uint64_t our_room = old_size / recipe.from_size, their_room = new_size / recipe.to_size;
    if (our_room < theirs || their_room < ours) {
      OtherMemory(visit.name, &old_chunk, &new_chunk);
    }
    visit.count = std::min(our_room, their_room);
  }

  // When all that has a type is known.
  void CompareUntyped(const Untyped& pair) {
    const Range<Addr> before = pair.before->payload, after = pair.after->payload;
    const bool known = before_.Reach(*pair.before);
    if (after_.Reach(*pair.after) || known) return;
    if (before.size() != after.size()) return OtherMemory(pair.name, pair.before, pair.after);
    const bool are_texts =
        pair.text && IsText(before_.memory(), before) && IsText(after_.memory(), after);
    const uint64_t first = FirstDifference(before, after);
    for (uint64_t at = 0; at + kWord <= before.size(); at += kWord) {
      const auto old = before_.memory().ReadValue<uint64_t>(before.begin() + at);
      const auto now = after_.memory().ReadValue<uint64_t>(after.begin() + at);
      if (!old || !now || *old == *now) continue;
      if (before_.IsPointer(*old) || after_.IsPointer(*now)) continue;
      StartDifference difference;
      difference.value = before.begin();
      difference.from = difference.to = at;
      difference.size = kWord;
      difference.memory = before;
      difference.text = pair.text;
      difference.plain = are_texts || first + kWord >= before.size();
      difference.name = pair.name;
      const auto bytes = std::as_bytes(std::span(&*now, 1));
      difference.next.assign(bytes.begin(), bytes.end());
      Add(std::move(difference));
    }
  }

  // malloc rounds up what it is asked for to a multiple of 16 bytes, less its own word.
  uint64_t FirstDifference(Range<Addr> before, Range<Addr> after) const {
    uint64_t at = 0;
    for (; at + kWord <= before.size(); at += kWord) {
      const auto old = before_.memory().ReadValue<uint64_t>(before.begin() + at);
      const auto now = after_.memory().ReadValue<uint64_t>(after.begin() + at);
      if (!old || !now || *old != *now) break;
    }
    return at;
  }

  // Printable characters up to a zero.
  static bool IsText(const Snapshot& memory, Range<Addr> range) {
    const auto text = memory.ReadString(range.begin());
    return text && !text->empty() && text->size() < range.size() &&
           std::ranges::all_of(*text, [](unsigned char c) { return c >= ' ' || std::isspace(c); });
  }

  TypeId Complete(TypeId type) const {
    const Type& of = recipes_.before()[type];
    return of.is_declaration ? recipes_.OldType(of.name) : type;
  }

  static bool InModule(uint64_t word, Addr bias, uint64_t size) {
    return bias.value() <= word && word - bias.value() < size;
  }

  static uint64_t WordAt(std::span<const std::byte> bytes, uint64_t at) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, kWord);
    return word;
  }

  std::string NameOf(const Value& value, const Step& step) const {
    const std::string& owner = recipes_.before()[value.recipe.before].name;
    return step.field.empty() || owner.empty() ? value.visit.name : owner + "." + step.field;
  }

  StartDifference DifferenceAt(const Value& value, const Step& step) const {
    StartDifference difference;
    difference.value = value.visit.before + value.from;
    difference.recipe = &value.recipe;
    difference.from = step.from;
    difference.size = step.from_size;
    difference.to = step.to;
    difference.name = NameOf(value, step);
    return difference;
  }

  void Add(StartDifference difference) {
    const HeapChunk* chunk = before_.ChunkAt((difference.value + difference.from).value());
    difference.mapped = chunk != nullptr && chunk->mmapped;
    heap_.differences.push_back(std::move(difference));
  }

  void AreTyped(const HeapChunk& old_chunk, const HeapChunk& new_chunk) {
    known_.typed_base.insert(old_chunk.payload.begin());
    known_.typed_next.insert(new_chunk.payload.begin());
  }

  // Through what one of the starts, or both, lead to memory that the other one does not have so.
  void OtherMemory(const std::string& name, const HeapChunk* before, const HeapChunk* after) {
    const auto begin = [](const HeapChunk* chunk) {
      return chunk == nullptr ? std::nullopt : std::optional(chunk->payload.begin());
    };
    heap_.others.push_back({begin(before), begin(after), name});
  }

  void Align() {
    StartWords words(module_, before_, after_);
    heap_.alignment = StartAlignment::Find(before_, after_, words, known_);
    heap_.reached = known_.typed_base;
    FindBeyond(words);
    for (auto& group : heap_.alignment.Groups(before_, after_, known_)) {
      const Change change = group.in_place ? ChangeInPlace(group, words) : Change::kPointers;
      const Addr first = group.base.front().begin();
      const bool of_library = group.in_place && !heap_.own.contains(first);
      for (const Range<Addr>& each : group.base) heap_.reached.insert(each.begin());
      if (change == Change::kNone || (of_library && change == Change::kPointers)) {
        heap_.kept.insert(first);
        continue;
      }
      heap_.laid_out_anew.push_back(std::move(group));
    }
    FindNeighbours(words);
  }

  // Last words that have nothing in common.
  void FindBeyond(StartWords& words) {
    for (const StartPlace& place : heap_.alignment.places()) {
      const HeapChunk* before = before_.ChunkAt(place.base.value());
      const HeapChunk* after = after_.ChunkAt(place.next.value());
      const bool whole =
          before != nullptr && after != nullptr && before->payload.begin() == place.base &&
          after->payload.begin() == place.next && before->payload.size() == after->payload.size();
      if (!whole) continue;
      const uint64_t last = before->payload.size() - kWord;
      const auto old = before_.memory().ReadValue<uint64_t>(place.base + last);
      const auto now = after_.memory().ReadValue<uint64_t>(place.next + last);
      if (!old || !now) continue;
      const StartWord ours = words.OfBase(*old), theirs = words.OfNext(*now);
      if (ours.kind != theirs.kind && ours != StartWord{} && theirs != StartWord{}) {
        heap_.beyond.insert(place.next + last);
      }
    }
  }

  // Both starts allocate nearly the same in the same order.
  void FindNeighbours(StartWords& words) {
    const auto& ours = before_.chunks();
    const auto& theirs = after_.chunks();
    std::map<size_t, size_t> known;  // in the new version's start, in the base
    for (const StartPlace& place : heap_.alignment.places()) {
      const HeapChunk* base = before_.ChunkAt(place.base.value());
      const HeapChunk* next = after_.ChunkAt(place.next.value());
      if (base == nullptr || next == nullptr || base->payload.size() != next->payload.size())
        continue;
      known.emplace(next - theirs.data(), base - ours.data());
    }
    for (size_t i = 0; i < theirs.size(); ++i) {
      if (!theirs[i].in_use || known.contains(i)) continue;
      const auto behind = known.lower_bound(i);
      std::vector<int64_t> expected;
      const auto expect = [&](const auto& pair) {
        expected.push_back(static_cast<int64_t>(pair.second + i) -
                           static_cast<int64_t>(pair.first));
      };
      if (behind != known.end()) expect(*behind);
      if (behind != known.begin()) expect(*std::prev(behind));
      for (const int64_t distance : kDistances) {
        const auto same = std::ranges::find_if(expected, [&](int64_t at) {
          const auto index = static_cast<size_t>(at + distance);
          return index < ours.size() && AreTheSame(ours[index], theirs[i], words);
        });
        if (same == expected.end()) continue;
        heap_.neighbours.emplace(theirs[i].payload.begin(),
                                 ours[static_cast<size_t>(*same + distance)].payload);
        break;
      }
    }
  }

  // But for what malloc gave beyond what was asked for.
  bool AreTheSame(const HeapChunk& before, const HeapChunk& after, StartWords& words) const {
    if (!before.in_use || before.payload.size() != after.payload.size()) return false;
    for (uint64_t at = 0; at + 2 * kWord <= before.payload.size(); at += kWord) {
      const auto old = before_.memory().ReadValue<uint64_t>(before.payload.begin() + at);
      const auto now = after_.memory().ReadValue<uint64_t>(after.payload.begin() + at);
      if (!old || !now || words.OfBase(*old) != words.OfNext(*now)) return false;
    }
    return true;
  }

  enum class Change { kNone, kValues, kPointers };  // kPointers: to allocations

  // Where each place is where it was.
  Change ChangeInPlace(const StartAlignment::Group& group, StartWords& words) const {
    const Range<Addr> before = group.base.front(), after = group.next.front();
    // Behind a text is what was there before.
    const bool are_texts = IsText(before_.memory(), before) && IsText(after_.memory(), after);
    if (are_texts && *before_.memory().ReadString(before.begin()) ==
                         *after_.memory().ReadString(after.begin())) {
      return Change::kNone;
    }
    Change change = Change::kNone;
    for (uint64_t at = 0; at + kWord <= before.size(); at += kWord) {
      const auto old = before_.memory().ReadValue<uint64_t>(before.begin() + at);
      const auto now = after_.memory().ReadValue<uint64_t>(after.begin() + at);
      if (!old || !now) return Change::kPointers;
      const StartWord ours = words.OfBase(*old), theirs = words.OfNext(*now);
      if (heap_.beyond.contains(after.begin() + at)) continue;
      const bool to_heap =
          ours.kind == StartWord::Kind::kHeap || theirs.kind == StartWord::Kind::kHeap;
      if (to_heap && heap_.alignment.ToNext(Addr(*old)) != Addr(*now)) return Change::kPointers;
      if (ours != theirs) change = Change::kValues;
    }
    return change;
  }

  const Base& base_;
  const ChangedModule& module_;
  AddressMap& map_;
  RecipeBook& recipes_;
  Regions regions_;
  RehearsedHeap& before_;
  RehearsedHeap& after_;
  std::deque<Visit> pending_;
  std::vector<Untyped> untyped_;
  StartAlignment::Known known_;
  std::unordered_map<const Recipe*, std::unordered_set<Addr>> visited_;  // in the base
  StartHeap heap_;
};

// Leaves what every start of the old version has as a result, which two of them agree about.
Status KeepCertain(const checkpoint::ProcessImage& start, const std::vector<HeapChunk>& chunks,
                   const checkpoint::ProcessImage& again, std::vector<StartDifference>& found) {
  if (found.empty()) return {};
  MCR_ASSIGN(const auto again_chunks, WalkHeap(again));
  const auto pairs = PairChunks(start, chunks, again, again_chunks);  // `live`: the first start
  std::erase_if(found, [&](const StartDifference& difference) {
    if (difference.mapped) return false;
    const Addr at = difference.value + difference.from;
    const ChunkPair* pair = FindPair(pairs, &ChunkPair::live, at);
    if (pair == nullptr) return true;
    std::vector<std::byte> once(difference.size), twice(difference.size);
    const Addr there = pair->base.begin() + (at - pair->live.begin());
    if (!start.Read(at, once) || !again.Read(there, twice)) return true;
    return !difference.target && once != twice;
  });
  return {};
}

}  // namespace

Result<StartHeap> CompareStartHeaps(const Base& base, const checkpoint::ProcessImage& next,
                                    const ChangedModule& module) {
  const checkpoint::ProcessImage& start = *base.start.image;
  MCR_ASSIGN(auto old_chunks, WalkHeap(start));
  MCR_ASSIGN(auto new_chunks, WalkHeap(next));
  RehearsedHeap before(start, base.start.biases.at(module.index), std::move(old_chunks));
  RehearsedHeap after(next, module.next.bias, std::move(new_chunks));
  StartHeap heap = Comparison(base, module, before, after).Run();
  MCR_TRY(KeepCertain(start, before.chunks(), *base.again.image, heap.differences));
  heap.base_chunks = before.chunks();
  heap.next_chunks = after.chunks();
  MCR_ASSIGN(heap.next_holders, FindHolders(next, heap.next_chunks));
  return heap;
}

}  // namespace mcr::mutator
