#include "mutator/merge/relaid_memory.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>
#include <utility>

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = 8;

// An address of the one process in the other.
Addr Across(Addr at, Range<Addr> from, Range<Addr> to) { return to.begin() + (at - from.begin()); }

}  // namespace

std::unique_ptr<RelaidMemory> RelaidMemory::Find(const Context& context) {
  std::unique_ptr<RelaidMemory> memory(new RelaidMemory(context));
  memory->Judge();
  return memory;
}

void RelaidMemory::Judge() {
  if (context_.heap.laid_out_anew.empty()) return;
  pairs_ = PairChunks(context_.live.image(), context_.live_chunks, base_.image(),
                      context_.heap.base_chunks);
  for (const StartAlignment::Group& group : context_.heap.laid_out_anew) JudgeGroup(group);
  std::ranges::sort(blocks_, {}, [](const ChunkPair& block) { return block.live.begin(); });
  std::ranges::sort(copies_, {}, [](const Copy& copy) { return copy.next.begin(); });
}

void RelaidMemory::JudgeGroup(const StartAlignment::Group& group) {
  std::vector<ChunkPair> blocks;
  std::set<Addr> noise;
  std::vector<Kept> kept;
  bool is_own = false;
  for (const Range<Addr>& chunk : group.base) {
    is_own = is_own || context_.heap.own.contains(chunk.begin());
    const HeapChunk* live = SameBlock(chunk);
    if (live == nullptr && base_words_.heap().Contains(chunk)) continue;  // it was given back
    if (live == nullptr) return;  // nothing says what has become of it
    const ChunkPair block{live->payload, chunk};
    Changes changes = ChangesOf(block);
    // It may have been given back, and taken again for something else.
    const bool is_same =
        changes.touched.empty() || FindPair(pairs_, &ChunkPair::base, chunk.begin()) != nullptr;
    if (!is_same || !ReshapedCorrespond(block)) return;
    blocks.push_back(block);
    std::set<const Object*> objects;
    for (const Addr at : changes.touched) {
      const Object* object = context_.graph.Find(at);
      if (object == nullptr) {
        unexplained_.push_back(at);
        return;
      }
      objects.insert(object);
    }
    for (const Object* object : objects) {
      const auto counterpart = Keep(*object, block);
      // A header that has changed: the region has given out more.
      if (!counterpart || object->memory.begin() == block.live.begin()) return;
      kept.push_back(*counterpart);
    }
    noise.merge(changes.noise);
  }
  // It may be a library's, whose state is the server's.
  if (!is_own && !kept.empty()) return;
  if (group.in_place && blocks.empty()) return;
  if (group.in_place) (is_own ? rewritten_ : in_place_).insert(blocks.front().live.begin());
  for (const Range<Addr>& chunk : group.next) {
    copies_.push_back(
        {chunk, group.in_place, group.in_place ? blocks.front().live.begin() : Addr()});
  }
  std::ranges::move(blocks, std::back_inserter(blocks_));
  noise_.merge(noise);
  std::ranges::move(kept, std::back_inserter(kept_));
}

// Whether the new version's start has a counterpart of each object in there whose type changes:
// pointers lead to them.
bool RelaidMemory::ReshapedCorrespond(const ChunkPair& block) const {
  auto object = std::ranges::lower_bound(context_.graph.objects, block.live.begin(), {},
                                         [](const Object& each) { return each.memory.begin(); });
  for (; object != context_.graph.objects.end() && object->memory.begin() < block.live.end();
       ++object) {
    const Addr begin = Across(object->memory.begin(), block.live, block.base);
    if (!object->recipe->identity && !InNext(begin)) return false;
  }
  return true;
}

bool RelaidMemory::Replaces(const StartHeap::OtherMemory& other) const {
  const bool before = !other.base || BlockOf(*other.base, &ChunkPair::base) != nullptr;
  return before && (!other.next || CopyOf(*other.next) != nullptr);
}

RelaidMemory::Changes RelaidMemory::ChangesOf(const ChunkPair& block) const {
  Changes changes;
  for (uint64_t at = 0; at + kWord <= block.live.size(); at += kWord) {
    const auto base = base_.ReadValue<uint64_t>(block.base.begin() + at);
    const auto live = context_.live.ReadValue<uint64_t>(block.live.begin() + at);
    if (!base || !live) continue;
    if (live_words_.MaySay(*live, base_words_, *base)) continue;
    const auto other = again_.ReadValue<uint64_t>(
        Across(block.base.begin() + at, base_words_.heap(), again_words_.heap()));
    const bool is_fixed = other && again_words_.MaySay(*other, base_words_, *base);
    (is_fixed ? changes.touched : changes.noise).insert(block.live.begin() + at);
  }
  return changes;
}

// What the new code can only get to through memory that it knows from its own start is as that
// start has left it. Other ways begin in memory that the server has changed, or allocated since;
// not in what only libraries have for themselves.
void RelaidMemory::FindDoubtful() {
  const Range<Addr> live_heap = live_words_.heap(), base_heap = base_words_.heap();
  std::set<Addr> others;  // the state of libraries
  for (const HeapChunk& chunk : context_.heap.base_chunks) {
    const HeapChunk* live = chunk.in_use ? SameBlock(chunk.payload) : nullptr;
    if (live == nullptr) continue;
    if (ChangesOf({live->payload, chunk.payload}).touched.empty()) {
      untouched_.insert(live->payload.begin());
    } else if (!context_.heap.reached.contains(chunk.payload.begin())) {
      others.insert(live->payload.begin());
    }
  }
  for (const UntypedObject& object : context_.graph.untyped) {
    if (object.foreign) others.insert(object.memory.begin());
  }
  std::vector<const HeapChunk*> found;
  for (const HeapChunk& chunk : context_.live_chunks) {
    const Addr begin = chunk.payload.begin();
    const bool leads_on = chunk.in_use && !untouched_.contains(begin) && !others.contains(begin);
    if (leads_on) Expand(chunk.payload, found);
  }
  while (!found.empty()) {
    const Range<Addr> memory = found.back()->payload;
    found.pop_back();
    const bool kept = context_.heap.kept.contains(Across(memory.begin(), live_heap, base_heap));
    if (!kept && BlockOf(memory.begin(), &ChunkPair::live) == nullptr) Expand(memory, found);
  }
}

// The allocation of the live process that is where the base has one.
const HeapChunk* RelaidMemory::SameBlock(Range<Addr> in_base) const {
  if (!base_words_.heap().Contains(in_base)) return nullptr;
  const Addr at = Across(in_base.begin(), base_words_.heap(), live_words_.heap());
  const HeapChunk* live = FindChunk(context_.live_chunks, at);
  const bool same = live != nullptr && live->in_use && live->payload.begin() == at &&
                    live->payload.size() == in_base.size();
  return same ? live : nullptr;
}

void RelaidMemory::Expand(Range<Addr> memory, std::vector<const HeapChunk*>& found) {
  const auto unused =
      std::ranges::upper_bound(context_.graph.unused, memory.begin(), {}, &Range<Addr>::begin);
  const bool is_block = unused != context_.graph.unused.end() && unused->begin() < memory.end();
  std::vector<std::byte> bytes((is_block ? unused->begin() : memory.end()) - memory.begin());
  if (!context_.live.Read(memory.begin(), bytes)) return;
  for (uint64_t at = 0; at + kWord <= bytes.size(); at += kWord) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, kWord);
    const HeapChunk* chunk = FindChunk(context_.live_chunks, Addr(word));
    if (chunk == nullptr || !untouched_.contains(chunk->payload.begin())) continue;
    if (doubtful_.insert(chunk->payload.begin()).second) found.push_back(chunk);
  }
}

bool RelaidMemory::IsSettled(const UntypedObject& object) {
  if (!std::exchange(doubtful_known_, true)) FindDoubtful();
  const HeapChunk* chunk = FindChunk(context_.live_chunks, object.memory.begin());
  if (chunk == nullptr || !untouched_.contains(chunk->payload.begin())) return false;
  const Addr begin = chunk->payload.begin();
  const Addr base = Across(begin, live_words_.heap(), base_words_.heap());
  if (context_.heap.kept.contains(base)) return true;
  return !object.precise && !context_.heap.reached.contains(base) && !doubtful_.contains(begin);
}

std::optional<RelaidMemory::Kept> RelaidMemory::Keep(const Object& object,
                                                     const ChunkPair& block) const {
  const Addr begin = Across(object.memory.begin(), block.live, block.base);
  const bool same_layout = object.recipe->identity;
  const auto next = same_layout ? InNext(begin) : context_.heap.alignment.ToNext(begin);
  const uint64_t size = object.count * object.recipe->to_size;
  const auto there = next ? Range<Addr>::FromSize(*next, size) : std::nullopt;
  // It is there as a whole, or what is there is only alike.
  for (uint64_t at = 0; there && same_layout && at + kWord <= size; at += kWord) {
    const auto word = InNext(begin + at);
    if (word && *word != *next + at) return std::nullopt;
  }
  return there ? std::optional(Kept{object.memory, *there}) : std::nullopt;
}

const ChunkPair* RelaidMemory::BlockOf(Addr at, Range<Addr> ChunkPair::* side) const {
  return FindPair(blocks_, side, at);
}

bool RelaidMemory::IsKept(Addr at) const {
  return std::ranges::any_of(kept_, [&](const Kept& kept) { return kept.live.Contains(at); });
}

bool RelaidMemory::Holds(Addr at) const {
  return BlockOf(at, &ChunkPair::live) != nullptr && !IsKept(at);
}

std::optional<Addr> RelaidMemory::Translate(Addr at) const {
  const ChunkPair* block = BlockOf(at, &ChunkPair::live);
  if (block == nullptr) return std::nullopt;
  if (in_place_.contains(block->live.begin())) return at;
  if (const auto next = InNext(Across(at, block->live, block->base))) {
    const Copy* copy = CopyOf(*next);
    if (copy != nullptr) return copy->to + (*next - copy->next.begin());
  }
  // The old memory is left as it is: a text in it as well.
  const bool stays = !rewritten_.contains(block->live.begin()) && IsText(at);
  return stays ? std::optional(at) : std::nullopt;
}

const RelaidMemory::Copy* RelaidMemory::CopyOf(Addr next) const {
  const auto behind = std::ranges::upper_bound(copies_, next, {},
                                               [](const Copy& copy) { return copy.next.begin(); });
  if (behind == copies_.begin()) return nullptr;
  const Copy& copy = *std::prev(behind);
  return copy.next.Contains(next) ? &copy : nullptr;
}

std::optional<Addr> RelaidMemory::InNext(Addr base) const {
  const StartAlignment& alignment = context_.heap.alignment;
  if (const auto place = alignment.ToNext(base)) return place;
  const uint64_t inside = base.value() % kWord;
  const auto word = alignment.WordInNext(Addr(base.value() - inside));
  return word ? std::optional(*word + inside) : std::nullopt;
}

bool RelaidMemory::IsText(Addr at) const {
  constexpr size_t kShortest = 4;  // that is no number
  const auto text = context_.live.ReadString(at);
  return text && text->size() >= kShortest &&
         std::ranges::all_of(*text, [](unsigned char c) { return std::isprint(c) != 0; });
}

bool RelaidMemory::Dangles(Addr at) const {
  const auto word = context_.live.ReadValue<uint64_t>(at);
  if (!word || !IsLeftOver(at, *word) || !live_words_.heap().Contains(Addr(*word))) return false;
  const Addr target = Across(Addr(*word), live_words_.heap(), base_words_.heap());
  const HeapChunk* chunk = FindChunk(context_.heap.base_chunks, target);
  return chunk == nullptr || !chunk->in_use;
}

bool RelaidMemory::IsLeftOver(Addr at, uint64_t word) const {
  const Range<Addr> heap = live_words_.heap();
  if (!heap.Contains(at)) return false;
  const auto base = base_.ReadValue<uint64_t>(Across(at, heap, base_words_.heap()));
  return base && live_words_.Say(word, base_words_, *base);
}

const RelaidMemory::Kept* RelaidMemory::KeptAt(Addr next) const {
  const auto found =
      std::ranges::find_if(kept_, [&](const Kept& kept) { return kept.next.Contains(next); });
  return found == kept_.end() ? nullptr : &*found;
}

std::optional<uint64_t> RelaidMemory::LiveWord(Addr next) const {
  const Copy* copy = CopyOf(next);
  auto base = context_.heap.alignment.WordInBase(next);
  if (copy != nullptr && copy->in_place) {
    const ChunkPair* same = BlockOf(copy->to, &ChunkPair::live);
    base = Across(next, copy->next, same->base);
  }
  const ChunkPair* block = base ? BlockOf(*base, &ChunkPair::base) : nullptr;
  if (block == nullptr) return std::nullopt;
  const Addr at = Across(*base, block->base, block->live);
  const auto word = context_.live.ReadValue<uint64_t>(at);
  const auto old = base_.ReadValue<uint64_t>(*base);
  if (!word || !old) return std::nullopt;
  if (noise_.contains(at)) return *word;
  const HeapChunk* target = FindChunk(context_.heap.base_chunks, Addr(*old));
  if (target == nullptr || !target->in_use) {
    return base_words_.PointElsewhere(*old) ? std::optional(*word) : std::nullopt;
  }
  // What stays is where the live process has it.
  return Holds(Addr(*word)) ? std::nullopt : std::optional(*word);
}

std::vector<Range<Addr>> RelaidMemory::Untouched() const {
  std::vector<Range<Addr>> ranges;
  for (const ChunkPair& block : blocks_) {
    Addr begin = block.live.begin();
    for (Addr at = begin; at < block.live.end(); at = at + kWord) {
      if (!IsKept(at) && !noise_.contains(at)) continue;
      if (begin < at) ranges.push_back(*Range<Addr>::FromTo(begin, at));
      begin = at + kWord;
    }
    if (begin < block.live.end()) ranges.push_back(*Range<Addr>::FromTo(begin, block.live.end()));
  }
  return ranges;
}

// Words one after the other that go to the same place are one run. Where a pointer leads to that is
// in none, or somewhere else than the word around it, it is one of its own.
std::vector<Account::Run> RelaidMemory::Runs() const {
  std::vector<Account::Run> runs;
  const auto add = [&](Addr at, uint64_t size, Addr after) {
    if (!runs.empty() && runs.back().before.end() == at &&
        runs.back().after + runs.back().before.size() == after) {
      runs.back().before = *Range<Addr>::FromTo(runs.back().before.begin(), at + size);
    } else {
      runs.push_back({*Range<Addr>::FromSize(at, size), after});
    }
  };
  for (const ChunkPair& block : blocks_) {
    for (Addr at = block.live.begin(); at + kWord <= block.live.end(); at = at + kWord) {
      const auto after = IsKept(at) ? std::nullopt : Translate(at);
      if (after) add(at, kWord, *after);
    }
  }
  for (const StartPlace& place : context_.heap.alignment.places()) {
    const ChunkPair* block = BlockOf(place.base, &ChunkPair::base);
    if (block == nullptr || place.base.value() % kWord == 0) continue;
    const Addr at = Across(place.base, block->base, block->live);
    const auto after = IsKept(at) ? std::nullopt : Translate(at);
    if (after) runs.push_back({*Range<Addr>::FromSize(at, 1), *after});
  }
  std::ranges::stable_sort(runs, {}, [](const Account::Run& run) { return run.before.begin(); });
  return runs;
}

void RelaidMemory::AddTo(Account& account) const {
  account.runs = Runs();
  std::ranges::move(Untouched(), std::back_inserter(account.heap_from_next));
}

}  // namespace mcr::mutator
