#include "mutator/merge/start_allocations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "mcr/base/bytes.h"
#include "mutator/graph/heap_holders.h"
#include "mutator/graph/memory_scan.h"
#include "mutator/graph/red_zone.h"
#include "mutator/graph/text_tail.h"
#include "mutator/merge/address_map.h"
#include "mutator/merge/stack/frame_planner.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

uint64_t WordAt(std::span<const std::byte> bytes, uint64_t at) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + at, kWord);
  return word;
}

}  // namespace

Result<const StartHeap*> StartAllocations::Heap() {
  if (context_.base == nullptr) return Fail("the old version's start is not known");
  if (heap_ != nullptr) return heap_;
  MCR_ASSIGN(heap_, context_.heap());
  AddLaidOutAnew();
  return heap_;
}

// Whether or not a pointer leads there.
void StartAllocations::AddLaidOutAnew() {
  if (context_.moves.relaid() == nullptr) return;
  for (const RelaidMemory::Copy& each : context_.moves.relaid()->copies()) {
    const HeapChunk* chunk = FindChunk(heap_->next_chunks, each.next.begin());
    const Copy copy{chunk, each.to, Name(each.next.begin()), true, each.in_place};
    copies_.emplace(each.next.begin(), copy);
    unfilled_.push_back(copy);
  }
}

Result<const ChunkPair*> StartAllocations::PairOf(Addr in_base) {
  MCR_ASSIGN(const StartHeap* heap, Heap());
  if (!pairs_) {
    MCR_ASSIGN(const auto chunks, WalkHeap(context_.live));
    pairs_ = PairChunks(context_.live, chunks, *context_.base->start.image, heap->base_chunks);
  }
  return FindPair(*pairs_, &ChunkPair::base, in_base);
}

Result<uint64_t> StartAllocations::Bring(uint64_t word, Addr holder) {
  MCR_ASSIGN(const StartHeap* heap, Heap());
  const HeapChunk* chunk = FindChunk(heap->next_chunks, Addr(word));
  if (chunk == nullptr || !chunk->in_use) return Fail("it is no memory that malloc gave");
  const uint64_t offset = Addr(word) - chunk->payload.begin();
  if (const auto kept = InKept(word)) return *kept;
  if (const auto copy = copies_.find(chunk->payload.begin());
      copy != copies_.end() && copy->second.laid_out_anew) {
    return (copy->second.to + offset).value();
  }
  if (const auto same = heap->counterparts.find(chunk->payload.begin());
      same != heap->counterparts.end()) {
    const auto& [base, name] = same->second;
    const std::string path = "it is what `" + name + "` leads to, ";
    if (base.empty()) return Fail(path + "and something else");
    auto live = InLive(base, offset);
    if (!live) return Fail(path + live.error().what);
    return live;
  }
  if (const auto known = paired_.find(chunk->payload.begin()); known != paired_.end()) {
    return known->second.second + (word - known->second.first);
  }
  if (const auto live = InPlace(word)) return *live;
  if (const auto live = InOthers(*chunk, word)) return *live;
  holders_.insert(holder);
  const auto [copy, is_new] = copies_.try_emplace(chunk->payload.begin());
  if (is_new) {
    copy->second = {chunk, Place(chunk->payload.size()), Name(holder)};
    unfilled_.push_back(copy->second);
  }
  return (copy->second.to + offset).value();
}

// In an object that stays in memory that is laid out anew otherwise.
std::optional<uint64_t> StartAllocations::InKept(uint64_t word) const {
  const RelaidMemory* relaid = context_.moves.relaid();
  const RelaidMemory::Kept* kept = relaid == nullptr ? nullptr : relaid->KeptAt(Addr(word));
  if (kept == nullptr) return std::nullopt;
  const ObjectMove* move = context_.moves.Find(kept->live.begin());
  const Addr begin = move == nullptr ? kept->live.begin() : move->to;
  return (begin + (Addr(word) - kept->next.begin())).value();
}

// In memory that both versions' starts have, and the live process still has.
std::optional<uint64_t> StartAllocations::InPlace(uint64_t word) {
  const auto base = heap_->alignment.ToBase(Addr(word));
  const auto pair = base ? PairOf(*base) : Result<const ChunkPair*>(nullptr);
  if (!pair || *pair == nullptr) return std::nullopt;
  const uint64_t live = ((*pair)->live.begin() + (*base - (*pair)->base.begin())).value();
  const ObjectMoves::Landing landing = context_.moves.Translate(live, 0);
  return landing.move == nullptr ? std::optional(live) : landing.to;
}

// In what is not the program's alone. Words that are left over in its memory may lead there.
std::optional<uint64_t> StartAllocations::InOthers(const HeapChunk& chunk, uint64_t word) {
  const Addr begin = chunk.payload.begin();
  const auto neighbour = heap_->neighbours.find(begin);
  if (neighbour == heap_->neighbours.end() || !OtherHolder(begin)) return std::nullopt;
  const auto live = InLive(neighbour->second, Addr(word) - begin);
  return live ? std::optional(*live) : std::nullopt;
}

void StartAllocations::Pair(uint64_t next_word, uint64_t live_word) {
  const auto heap = Heap();
  const HeapChunk* chunk = heap ? FindChunk((*heap)->next_chunks, Addr(next_word)) : nullptr;
  if (chunk != nullptr && chunk->in_use) {
    paired_.try_emplace(chunk->payload.begin(), next_word, live_word);
  }
}

uint64_t StartAllocations::Allocate(std::vector<std::byte> bytes) {
  const Addr at = Place(bytes.size());
  made_.push_back({at, std::move(bytes)});
  return at.value();
}

Addr StartAllocations::Place(uint64_t size) {
  const Addr place = placeholder_;
  placeholder_ = ObjectMoves::PlaceholderAfter(place, size);
  return place;
}

Result<uint64_t> StartAllocations::InLive(Range<Addr> in_base, uint64_t offset) {
  MCR_ASSIGN(const ChunkPair* pair, PairOf(in_base.begin()));
  if (pair == nullptr) return Fail("and the server has changed that, or given it back");
  const uint64_t begin = pair->live.begin().value();
  const ObjectMoves::Landing landing = context_.moves.Translate(begin, 0);
  if (landing.move == nullptr) return begin + offset;
  if (offset == 0 && landing.to) return *landing.to;
  return Fail("a part of an object whose type changes");
}

bool StartAllocations::IsUntouched(std::span<const std::byte> live,
                                   std::span<const std::byte> start) {
  if (SameBytes(live, start)) return true;
  for (uint64_t at = 0; at + kWord <= live.size(); at += kWord) {
    const uint64_t ours = WordAt(live, at), theirs = WordAt(start, at);
    if (ours != theirs && !SameAllocation(ours, theirs)) return false;
  }
  const size_t rest = live.size() % kWord;
  return SameBytes(live.last(rest), start.last(rest));
}

// Both are the address of the same allocation, and that holds the same: of a text, up to its end.
bool StartAllocations::SameAllocation(uint64_t live_word, uint64_t start_word) {
  const auto pair = PairOf(Addr(start_word));
  if (!pair || *pair == nullptr) return false;
  const auto [live, base] = **pair;
  if (Addr(live_word) < live.begin() ||
      Addr(live_word) - live.begin() != Addr(start_word) - base.begin()) {
    return false;
  }
  std::vector<std::byte> ours(live.size()), theirs(base.size());
  if (!context_.live.Read(live.begin(), ours) ||
      !context_.base->start.image->Read(base.begin(), theirs)) {
    return false;
  }
  const auto text = context_.live.ReadString(live.begin());
  const bool is_text = text && !text->empty() && text->size() < ours.size() &&
                       std::ranges::all_of(*text, [](unsigned char c) { return std::isprint(c); });
  const size_t size = is_text ? text->size() + 1 : ours.size();
  return SameBytes(std::span(ours).first(size), std::span(theirs).first(size));
}

void StartAllocations::AddTo(checkpoint::ProcessGraft& graft, MergePlan& plan) {
  const RelaidMemory* relaid = context_.moves.relaid();
  if (relaid != nullptr && !relaid->copies().empty()) static_cast<void>(Heap());
  const PointerGuard theirs = ReadPointerGuard(context_.next);
  const PointerGuard ours = ReadPointerGuard(context_.live);
  while (!unfilled_.empty()) {
    const Copy copy = unfilled_.front();
    unfilled_.pop_front();
    auto bytes = Fill(copy, theirs, ours, graft);
    if (bytes && copy.in_place) {
      WriteInPlace(copy, *bytes, graft);
    } else if (bytes) {
      made_.push_back({copy.to, *std::move(bytes)});
    } else {
      plan.problems.push_back(fmt::format(
          "what {} points to is memory that only the new version's start allocates, and leads to "
          "more that cannot be brought along: {}",
          copy.led_by, bytes.error().Line()));
    }
  }
  for (const auto& [begin, copy] : copies_) {
    if (!copy.laid_out_anew) RefuseShared(copy, plan);
  }
  plan.objects.brought += copies_.size();
  std::ranges::sort(made_, {}, &Made::placeholder);
  for (const Made& made : made_) {
    graft.allocations.push_back({.placeholder = made.placeholder, .size = made.bytes.size()});
    graft.allocated_writes.Add(made.placeholder, made.bytes);
  }
}

// What differs.
void StartAllocations::WriteInPlace(const Copy& copy, std::span<const std::byte> bytes,
                                    checkpoint::ProcessGraft& graft) const {
  for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
    const uint64_t word = WordAt(bytes, at);
    const auto live = context_.live.ReadValue<uint64_t>(copy.to + at);
    const bool same = live && *live == word;
    if (!same && !IsPlaceholder(word)) graft.writes.AddWord(copy.to + at, word);
  }
}

// In the live process's terms.
Result<std::vector<std::byte>> StartAllocations::Fill(const Copy& copy, const PointerGuard& theirs,
                                                      const PointerGuard& ours,
                                                      checkpoint::ProcessGraft& graft) {
  const Range<Addr> from = copy.chunk->payload;
  std::vector<std::byte> bytes(from.size());
  MCR_TRY(context_.next.Read(from.begin(), bytes));
  const RelaidMemory* relaid = copy.laid_out_anew ? context_.moves.relaid() : nullptr;
  for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
    const Addr place = from.begin() + at;
    std::optional<uint64_t> value;
    if (relaid != nullptr && relaid->KeptAt(place) != nullptr) {
      value = 0;  // that is elsewhere
      if (copy.in_place) {
        MCR_ASSIGN(value, context_.live.ReadValue<uint64_t>(copy.to + at));
      }
    } else if (const auto live = relaid == nullptr ? std::nullopt : relaid->LiveWord(place);
               live && !context_.fresh.Holds(Addr(*live))) {
      MCR_ASSIGN(value, context_.live_word(*live));
    } else if (heap_->beyond.contains(place)) {
      value = 0;
    } else if (!EndsText(bytes, at)) {
      MCR_ASSIGN(value, FillWord(place, WordAt(bytes, at), theirs, ours));
    }
    if (!value) continue;
    std::memcpy(bytes.data() + at, &*value, kWord);
    if (IsPlaceholder(*value)) {
      graft.allocated_words.push_back({copy.to + at, Addr(*value)});
    }
  }
  return bytes;
}

// The last characters of a text over what is left of a pointer are none.
bool StartAllocations::EndsText(std::span<const std::byte> bytes, uint64_t at) {
  const uint64_t context = std::min<uint64_t>(at, kTextContext);
  const TextEvidence text =
      ExamineText(bytes.subspan(at - context, context), bytes.subspan(at, kWord));
  return text.tail == TextTail::kCovers;
}

// A block that was free began with malloc's lists: the places of headers, each a word before the
// end of what the block before may use.
bool StartAllocations::IsMallocs(Addr at, uint64_t word, const HeapChunk& target) const {
  constexpr uint64_t kLinks = 4 * kWord;
  const HeapChunk* holder = FindChunk(heap_->next_chunks, at);
  return holder != nullptr && at - holder->payload.begin() < kLinks &&
         Addr(word) + kWord == target.payload.end();
}

// nullopt: it stays as it is.
Result<std::optional<uint64_t>> StartAllocations::FillWord(Addr at, uint64_t word,
                                                           const PointerGuard& theirs,
                                                           const PointerGuard& ours) {
  const ImageMap::Word translated = context_.next_to_live.Translate(word);
  if (translated.kind == ImageMap::Kind::kPointer) return translated.value;
  if (translated.kind == ImageMap::Kind::kValue) {
    const auto plain = context_.next_to_live.Translate(theirs.Demangle(word));
    if (plain.kind != ImageMap::Kind::kPointer) return std::nullopt;
    return ours.Mangle(plain.value);
  }
  const HeapChunk* target = FindChunk(heap_->next_chunks, Addr(word));
  // Left over in memory that nobody has written to.
  const bool given_back = target != nullptr && (!target->in_use || IsMallocs(at, word, *target));
  if (given_back) return std::optional<uint64_t>(0);
  MCR_ASSIGN(const uint64_t brought, Bring(word, at));
  return brought;
}

void StartAllocations::RefuseShared(const Copy& copy, MergePlan& plan) const {
  const auto other = OtherHolder(copy.chunk->payload.begin());
  if (!other) return;
  plan.problems.push_back(fmt::format(
      "what {} points to is memory that only the new version's start allocates, and cannot be "
      "brought along: {} points there as well, and keeps the server's own value",
      copy.led_by, Name(*other)));
}

// Who points there besides what is brought along.
std::optional<Addr> StartAllocations::OtherHolder(Addr allocation) const {
  for (const HeapHolder& holder : HoldersOf(heap_->next_holders, allocation)) {
    if (holders_.contains(holder.word) || IsBrought(holder.word)) continue;
    if (!IsLeftOver(holder.word)) return holder.word;
  }
  return std::nullopt;
}

bool StartAllocations::IsBrought(Addr word) const {
  auto copy = copies_.upper_bound(word);
  return copy != copies_.begin() && (--copy)->second.chunk->payload.Contains(word);
}

// What an earlier call has left in a frame that has no use for it.
bool StartAllocations::IsLeftOver(Addr word) const {
  for (const checkpoint::ThreadImage& thread : context_.next.threads()) {
    if (IsBelowSystemCall(word, thread)) return true;
    for (size_t i = 0; i + 1 < thread.frames.size(); ++i) {
      const checkpoint::StackFrame& frame = thread.frames[i];
      const Addr end = thread.frames[i + 1].stack_pointer;
      if (word < frame.stack_pointer || end <= word) continue;
      for (const ChangedModule& module : context_.modules.all()) {
        if (!module.next.range.Contains(frame.instruction)) continue;
        FramePlanner* frames = module.versions->frames.get();
        const FileAddr returns(frame.instruction - module.next.bias);
        const auto at = static_cast<FrameOffset>(word - end);
        return frames != nullptr && !frames->MayReadPointer(returns, at);
      }
    }
  }
  return false;
}

// A library's function that waits in a system call needs no more of its red zone than the call's
// arguments.
bool StartAllocations::IsBelowSystemCall(Addr word, const checkpoint::ThreadImage& thread) const {
  if (thread.frames.empty()) return false;
  const checkpoint::StackFrame& innermost = thread.frames.front();
  const bool is_library =
      std::ranges::none_of(context_.modules.all(), [&](const ChangedModule& module) {
        return module.next.range.Contains(innermost.instruction);
      });
  return is_library && IsInRedZone(word, innermost.stack_pointer);
}

std::string StartAllocations::Name(Addr word) const {
  for (const ChangedModule& module : context_.modules.all()) {
    if (!module.next.range.Contains(word)) continue;
    return AddressMap::Name(module.after(), FileAddr(word - module.next.bias));
  }
  const Mapping* mapping = FindMapping(context_.next.mappings(), word);
  return fmt::format("the word at {} of the start's {}", Hex(word),
                     mapping == nullptr || mapping->path.empty() ? "memory" : mapping->path);
}

}  // namespace mcr::mutator
