#include "mutator/merge/start_heap.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <deque>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mutator/graph/allocation_types.h"
#include "mutator/graph/chunk_pairing.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/regions.h"
#include "mutator/merge/rehearsed_heap.h"
#include "mutator/merge/variable_pairs.h"
#include "mutator/transform/apply.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

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
    if (heap_.other_memory.empty() && before_.Unreached() != after_.Unreached()) {
      heap_.other_memory = "memory without types";
    }
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
      LookAt({visit, recipe, before, after, i * recipe.from_size, i * recipe.to_size});
    }
    if (!recipe.flexible) return;
    const FlexibleArray& array = *recipe.flexible;
    const Recipe& element = *array.element;
    if (element.from_size == 0 || element.to_size == 0) return;
    uint64_t from = array.from, to = array.to;
    while (from + element.from_size <= before.size() && to + element.to_size <= after.size()) {
      LookAt({visit, element, before, after, from, to});
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
                    value.to + step.to + i * step.to_size});
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
      return Pair(before, *old_chunk, after, *new_chunk, step, NameOf(value, step));
    }
    if (old_chunk != nullptr || new_chunk != nullptr) return OtherMemory(NameOf(value, step));
    if (value.visit.in_heap && step.tag_mask == 0) LookAtTarget(value, step, before, after);
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

  void Pair(uint64_t before, const HeapChunk& old_chunk, uint64_t after, const HeapChunk& new_chunk,
            const Step& step, const std::string& name) {
    TypeId type = Complete(step.before);
    if (recipes_.before()[type].kind == TypeKind::kFunction) return;
    const bool at_start =
        old_chunk.payload.begin() == Addr(before) && new_chunk.payload.begin() == Addr(after);
    if (at_start) Correspond(old_chunk, new_chunk, name);
    const bool plain = type == 0 || recipes_.before()[type].size <= 1;
    if (plain) {
      if (at_start) untyped_.push_back({&old_chunk, &new_chunk, type != 0, name});
      return;
    }
    const RegionKind* region = at_start ? regions_.WithBlock(type) : nullptr;
    if (region != nullptr) type = region->chained;  // what all blocks have
    const TypeId counterpart = recipes_.Counterpart(type);
    const Recipe& recipe = recipes_.Get(type, counterpart);
    if (!visited_[&recipe].insert(Addr(before)).second) return;
    Visit visit{Addr(before), Addr(after), &recipe, 1, 0, 0, true, name};
    if (at_start) {
      before_.Reach(old_chunk);
      after_.Reach(new_chunk);
      if (region == nullptr) Measure(old_chunk, new_chunk, visit);
      if (region != nullptr && old_chunk.payload.size() != new_chunk.payload.size()) {
        OtherMemory(name);
      }
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
      if (recipe.identity && old_size != new_size) OtherMemory(visit.name);
      return;
    }
    // malloc rounds up: there may be more of them than the fewest.
    const uint64_t ours = CountThatFits(old_size, recipe.from_size, old_chunk.mmapped);
    const uint64_t theirs = CountThatFits(new_size, recipe.to_size, new_chunk.mmapped);
    if (ours == 0 || theirs == 0) {
      if (old_size != new_size) OtherMemory(visit.name);
      return;
    }
    const uint64_t our_room = old_size / recipe.from_size, their_room = new_size / recipe.to_size;
    if (our_room < theirs || their_room < ours) OtherMemory(visit.name);
    visit.count = std::min(our_room, their_room);
  }

  // When all that has a type is known.
  void CompareUntyped(const Untyped& pair) {
    const Range<Addr> before = pair.before->payload, after = pair.after->payload;
    const bool known = before_.Reach(*pair.before);
    if (after_.Reach(*pair.after) || known) return;
    if (before.size() != after.size()) return OtherMemory(pair.name);
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

  void OtherMemory(const std::string& name) {
    if (heap_.other_memory.empty()) heap_.other_memory = name;
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
