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
  return heap_;
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
  holders_.insert(holder);
  const auto [copy, is_new] = copies_.try_emplace(chunk->payload.begin());
  if (is_new) {
    copy->second = {chunk, Place(chunk->payload.size()), Name(holder)};
    unfilled_.push_back(copy->second);
  }
  return (copy->second.placeholder + offset).value();
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
  const PointerGuard theirs = ReadPointerGuard(context_.next);
  const PointerGuard ours = ReadPointerGuard(context_.live);
  while (!unfilled_.empty()) {
    const Copy copy = unfilled_.front();
    unfilled_.pop_front();
    auto bytes = Fill(copy, theirs, ours, graft);
    if (bytes) {
      made_.push_back({copy.placeholder, *std::move(bytes)});
    } else {
      plan.problems.push_back(fmt::format(
          "what {} points to is memory that only the new version's start allocates, and leads to "
          "more that cannot be brought along: {}",
          copy.led_by, bytes.error().Line()));
    }
  }
  for (const auto& [begin, copy] : copies_) RefuseShared(copy, plan);
  plan.objects.brought += copies_.size();
  std::ranges::sort(made_, {}, &Made::placeholder);
  for (const Made& made : made_) {
    graft.allocations.push_back({.placeholder = made.placeholder, .size = made.bytes.size()});
    graft.allocated_writes.Add(made.placeholder, made.bytes);
  }
}

// In the live process's terms.
Result<std::vector<std::byte>> StartAllocations::Fill(const Copy& copy, const PointerGuard& theirs,
                                                      const PointerGuard& ours,
                                                      checkpoint::ProcessGraft& graft) {
  const Range<Addr> from = copy.chunk->payload;
  std::vector<std::byte> bytes(from.size());
  MCR_TRY(context_.next.Read(from.begin(), bytes));
  for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
    const uint64_t word = WordAt(bytes, at);
    ImageMap::Word translated = context_.next_to_live.Translate(word);
    if (translated.kind == ImageMap::Kind::kValue) {
      const auto plain = context_.next_to_live.Translate(theirs.Demangle(word));
      if (plain.kind != ImageMap::Kind::kPointer) continue;
      translated.value = ours.Mangle(plain.value);
    } else if (translated.kind == ImageMap::Kind::kForeign) {
      const HeapChunk* target = FindChunk(heap_->next_chunks, Addr(word));
      if (target != nullptr && !target->in_use) {
        translated.value = 0;  // left over in memory that nobody has written to
      } else {
        MCR_ASSIGN(translated.value, Bring(word, from.begin() + at));
      }
    }
    std::memcpy(bytes.data() + at, &translated.value, kWord);
    if (IsPlaceholder(translated.value)) {
      graft.allocated_words.push_back({copy.placeholder + at, Addr(translated.value)});
    }
  }
  return bytes;
}

void StartAllocations::RefuseShared(const Copy& copy, MergePlan& plan) const {
  for (const HeapHolder& holder : HoldersOf(heap_->next_holders, copy.chunk->payload.begin())) {
    if (holders_.contains(holder.word) || IsBrought(holder.word)) continue;
    if (IsLeftOver(holder.word)) continue;
    plan.problems.push_back(fmt::format(
        "what {} points to is memory that only the new version's start allocates, and cannot be "
        "brought along: {} points there as well, and keeps the server's own value",
        copy.led_by, Name(holder.word)));
    return;
  }
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
  return is_library && word < innermost.stack_pointer && innermost.stack_pointer - word <= kRedZone;
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
