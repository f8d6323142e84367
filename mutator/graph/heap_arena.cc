#include "mutator/graph/heap_arena.h"

#include <algorithm>

#include "mcr/base/mapping.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kHeader = 16;
constexpr uint64_t kSmallest = 32;
constexpr uint64_t kAlignment = 16;
constexpr uint64_t kPage = 4096;

// struct malloc_state: ..., fastbinsY[10], top, last_remainder, bins[254], ...
constexpr uint64_t kFastBins = 10;
constexpr uint64_t kTop = 96;
constexpr uint64_t kFirstBin = kTop + 2 * kWord;
constexpr uint64_t kBins = 127;  // pairs of words
constexpr uint64_t kArenaSize = 2200;

// struct heap_info before and since glibc 2.35.
constexpr uint64_t kHeapInfoSizes[] = {0x30, 0x20};

// struct tcache_perthread_struct since glibc 2.30: counts (16 bits each), then the lists' heads.
constexpr uint64_t kLists = 64;
static_assert(kThreadCacheSize == kLists * (sizeof(uint16_t) + kWord) + kWord);

Addr AlignedChunk(Addr after) {
  return Addr(((after.value() + kHeader + kAlignment - 1) & ~(kAlignment - 1)) - kHeader);
}

// An empty bin is a pair of pointers to itself, seen as the links of a chunk; the bins of a used
// arena are mostly empty.
bool HasBins(MemoryWindow& memory, Addr arena) {
  uint64_t empty = 0;
  for (uint64_t bin = 0; bin < kBins; ++bin) {
    const Addr at = arena + kFirstBin + 2 * kWord * bin;
    const auto forward = memory.Word(at), backward = memory.Word(at + kWord);
    if (!forward || !backward || *forward == 0 || *backward == 0) return false;
    const uint64_t self = (at - kHeader).value();
    if ((*forward == self) != (*backward == self)) return false;
    if (*forward == self) ++empty;
  }
  return empty != 0;
}

// The pointer to the next cached chunk, which is kept at `at`: exclusive-ored with its own page
// number since glibc 2.32 ("safe linking").
std::optional<uint64_t> NextCached(MemoryWindow& memory, Addr at, bool mangled) {
  const auto word = memory.Word(at);
  if (!word) return std::nullopt;
  return mangled ? *word ^ (at.value() / kPage) : *word;
}

using Payloads = std::vector<Addr>;

// A list of `most` chunks of `size` at the most. `head` and the links point `to_payload` bytes
// before the payload.
std::optional<Payloads> ReadList(MemoryWindow& memory, uint64_t head, uint64_t size,
                                 uint64_t to_payload, uint64_t most, const ChunkSize& size_of,
                                 bool mangled) {
  Payloads payloads;
  while (head != 0) {
    const Addr payload(head + to_payload);
    if (payloads.size() == most || size_of(payload) != size) return std::nullopt;
    payloads.push_back(payload);
    const auto next = NextCached(memory, payload, mangled);
    if (!next) return std::nullopt;
    head = *next;
  }
  return payloads;
}

std::optional<Payloads> ReadEitherList(MemoryWindow& memory, uint64_t head, uint64_t size,
                                       uint64_t to_payload, uint64_t most,
                                       const ChunkSize& size_of) {
  auto list = ReadList(memory, head, size, to_payload, most, size_of, true);
  return list ? list : ReadList(memory, head, size, to_payload, most, size_of, false);
}

}  // namespace

std::optional<Arena> ReadArena(MemoryWindow& memory, Addr at) {
  const auto top = memory.Word(at + kTop);
  if (!top || *top == 0 || *top % kAlignment != 0 || !HasBins(memory, at)) return std::nullopt;
  return Arena{at, Addr(*top)};
}

std::optional<Arena> FindMainArena(const checkpoint::ProcessImage& image, MemoryWindow& memory,
                                   Range<Addr> heap) {
  for (const Mapping& mapping : image.mappings()) {
    if (!mapping.IsFile() || mapping.shared || !mapping.writable || !mapping.readable) continue;
    for (Addr at = mapping.range.begin() + kTop; at < mapping.range.end(); at = at + kWord) {
      const auto word = memory.Word(at);
      if (!word) break;
      if (!heap.Contains(Addr(*word))) continue;
      if (const auto arena = ReadArena(memory, at - kTop)) return arena;
    }
  }
  return std::nullopt;
}

std::optional<HeapInfo> ReadHeapInfo(MemoryWindow& memory, Addr heap, Addr mapped_end) {
  const auto arena = memory.Word(heap);
  const auto size = memory.Word(heap + 2 * kWord);
  if (!arena || !size || *size == 0 || *size % kPage != 0 || *size > mapped_end - heap) {
    return std::nullopt;
  }
  HeapInfo info{Addr(*arena), heap + *size, {}};
  for (const uint64_t info_size : kHeapInfoSizes) {
    if (info.arena == heap + info_size) {
      // The heap that holds its arena's record as well.
      info.first_chunks = {AlignedChunk(info.arena + kArenaSize)};
      return info;
    }
    info.first_chunks.push_back(heap + info_size);
  }
  return info;
}

void ReadFastBins(MemoryWindow& memory, Addr arena, uint64_t most, const ChunkSize& size_of,
                  std::vector<Addr>& cached) {
  for (uint64_t bin = 0; bin < kFastBins; ++bin) {
    const auto head = memory.Word(arena + kTop - kWord * (kFastBins - bin));
    if (!head) return;
    const uint64_t size = kSmallest + kAlignment * bin;
    const auto list = ReadEitherList(memory, *head, size, kHeader, most, size_of);
    if (list) cached.insert(cached.end(), list->begin(), list->end());
  }
}

void ReadThreadCache(MemoryWindow& memory, Range<Addr> payload, const ChunkSize& size_of,
                     std::vector<Addr>& cached) {
  if (payload.size() != kThreadCacheSize) return;
  Payloads all;
  for (uint64_t list = 0; list < kLists; ++list) {
    const Addr counts = payload.begin() + list / 4 * kWord;
    const auto four = memory.Word(counts);
    const auto head = memory.Word(payload.begin() + kLists * sizeof(uint16_t) + list * kWord);
    if (!four || !head) return;
    const uint64_t count = (*four >> (list % 4 * 16)) & 0xffff;
    const uint64_t size = kSmallest + kAlignment * list;
    const auto chunks = ReadEitherList(memory, *head, size, 0, count, size_of);
    // Any other object of this size fails here: its counts would have to be right for every list.
    if (!chunks || chunks->size() != count) return;
    all.insert(all.end(), chunks->begin(), chunks->end());
  }
  cached.insert(cached.end(), all.begin(), all.end());
}

}  // namespace mcr::mutator
