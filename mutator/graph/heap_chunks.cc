#include "mutator/graph/heap_chunks.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "mutator/graph/heap_arena.h"
#include "mutator/graph/memory_window.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kHeader = 16;  // bytes before the payload: previous size, size with flags
constexpr uint64_t kSmallest = 32;
constexpr uint64_t kAlignment = 16;
constexpr uint64_t kPreviousInUse = 1, kMapped = 2, kFlags = 7;
// A heap of an arena other than the main one; and how its address is found from a chunk in it.
constexpr uint64_t kHeapAlignment = uint64_t{64} << 20;
constexpr uint64_t kLargestSearched = uint64_t{64} << 20;  // bytes

struct Size {
  uint64_t bytes = 0;
  uint64_t flags = 0;
};

// One contiguous stretch of chunks.
struct Region {
  Addr first;  // chunk
  Addr end;    // of the memory that may hold chunks
  Addr top;    // the chunk that is the unused rest; null: not known
};

class HeapWalk {
 public:
  explicit HeapWalk(const checkpoint::ProcessImage& image) : image_(image), memory_(image) {}

  std::vector<HeapChunk> Run() {
    WalkMainArena();
    for (const Mapping& mapping : image_.mappings()) {
      if (!MayHoldChunks(mapping)) continue;
      WalkArenaHeaps(mapping);
      WalkMapped(mapping);
    }
    std::ranges::sort(chunks_, {}, [](const HeapChunk& chunk) { return chunk.payload.begin(); });
    MarkCached();
    return std::move(chunks_);
  }

 private:
  static bool MayHoldChunks(const Mapping& mapping) {
    return mapping.readable && mapping.writable && !mapping.shared && !mapping.IsFile() &&
           (mapping.path.empty() || mapping.path.starts_with("[anon:"));
  }

  std::optional<Size> SizeAt(Addr chunk) {
    const auto word = memory_.Word(chunk + sizeof(uint64_t));
    if (!word) return std::nullopt;
    return Size{*word & ~kFlags, *word & kFlags};
  }

  // The chunk that ends a region: its unused rest, or the stubs that malloc leaves where the memory
  // behind was not its own.
  bool IsLast(const Region& region, Addr chunk, const Size& size) {
    if (chunk == region.top) return true;
    if (size.bytes == 0) return chunk + kHeader == region.end;
    if (size.bytes == kHeader) {
      const auto next = SizeAt(chunk + kHeader);
      return next && (next->bytes == 0 || next->bytes == kHeader);
    }
    return region.top.IsNull() && size.bytes == region.end - chunk;
  }

  // nullopt: these are not malloc's chunks.
  std::optional<std::vector<HeapChunk>> Walk(const Region& region) {
    std::vector<HeapChunk> chunks;
    for (Addr at = region.first; at + kHeader <= region.end;) {
      const auto size = SizeAt(at);
      if (!size) return std::nullopt;
      // Whether a chunk is in use is said in the one behind it.
      if (!chunks.empty()) chunks.back().in_use = (size->flags & kPreviousInUse) != 0;
      if (IsLast(region, at, *size)) {
        const auto rest = Range<Addr>::FromTo(at + kHeader, region.end);
        if (at == region.top && rest && !rest->empty()) chunks.push_back({*rest});
        return chunks;
      }
      const bool valid = size->bytes >= kSmallest && size->bytes % kAlignment == 0 &&
                         (size->flags & kMapped) == 0 && size->bytes < region.end - at;
      if (!valid) return std::nullopt;
      // The next chunk's "previous size" belongs to this one while it is in use.
      chunks.push_back({*Range<Addr>::FromSize(at + kHeader, size->bytes - sizeof(uint64_t))});
      at = at + size->bytes;
    }
    return std::nullopt;
  }

  bool Take(const Region& region) {
    auto chunks = Walk(region);
    if (!chunks) return false;
    chunks_.insert(chunks_.end(), chunks->begin(), chunks->end());
    return true;
  }

  // The main arena grows by brk(2), which need not have been aligned when it began. It is in
  // several mappings where the kernel may not join them: what is added while writes to the rest are
  // watched, for one.
  void WalkMainArena() {
    const Addr start = image_.layout().start_brk;
    const Mapping* mapping = FindMapping(image_.mappings(), start);
    if (mapping == nullptr || !mapping->writable || mapping->IsFile()) return;
    const auto memory = Range<Addr>::FromTo(start, image_.layout().brk);
    if (!memory) return;
    const Addr first((start.value() + kAlignment - 1) & ~(kAlignment - 1));
    Region region{first, memory->end(), Addr()};
    const auto arena = FindMainArena(image_, memory_, *memory);
    if (arena) region.top = arena->top;
    if (Take(region) && arena) arenas_.push_back(arena->at);
  }

  void WalkArenaHeaps(const Mapping& mapping) {
    const uint64_t begin = mapping.range.begin().value();
    uint64_t at = (begin + kHeapAlignment - 1) & ~(kHeapAlignment - 1);
    for (; at >= begin && mapping.range.Contains(Addr(at)); at += kHeapAlignment) {
      WalkArenaHeap(Addr(at), mapping.range.end());
    }
  }

  void WalkArenaHeap(Addr heap, Addr mapped_end) {
    const auto info = ReadHeapInfo(memory_, heap, mapped_end);
    if (!info) return;
    const auto arena = ReadArena(memory_, info->arena);
    if (!arena) return;
    const auto range = *Range<Addr>::FromTo(heap, info->end);
    for (const Addr first : info->first_chunks) {
      if (!Take({first, info->end, range.Contains(arena->top) ? arena->top : Addr()})) continue;
      heaps_.push_back(range);
      if (range.Contains(arena->at)) arenas_.push_back(arena->at);
      return;
    }
  }

  // A large block is alone in its mapping, but the kernel joins mappings that touch: one begins at
  // the beginning of a mapping, behind another one, or, if the mapping is not too large to look
  // everywhere, at any page.
  void WalkMapped(const Mapping& mapping) {
    const bool search = mapping.range.size() <= kLargestSearched;
    for (Addr at = mapping.range.begin(); at < mapping.range.end();) {
      const uint64_t size = MappedSize(at, mapping.range.end());
      const auto heap = std::ranges::find(heaps_, at, &Range<Addr>::begin);
      if (size != 0) {
        chunks_.push_back({*Range<Addr>::FromSize(at + kHeader, size - kHeader), true, true});
        at = at + size;
      } else if (heap != heaps_.end()) {
        at = heap->end();
      } else if (search) {
        at = at + kPage;
      } else {
        return;
      }
    }
  }

  // Of the large block that begins at `at`; 0 if none does.
  uint64_t MappedSize(Addr at, Addr end) {
    const auto previous = memory_.Word(at);
    const auto size = SizeAt(at);
    if (!previous || *previous != 0 || !size || size->flags != kMapped) return 0;
    if (size->bytes == 0 || size->bytes % kPage != 0 || size->bytes > end - at) return 0;
    return size->bytes;
  }

  HeapChunk* At(Addr payload) {
    const auto found = std::ranges::lower_bound(
        chunks_, payload, {}, [](const HeapChunk& chunk) { return chunk.payload.begin(); });
    return found != chunks_.end() && found->payload.begin() == payload ? &*found : nullptr;
  }

  // free(3) keeps small chunks at hand without telling the chunk behind them.
  void MarkCached() {
    const ChunkSize size_of = [this](Addr payload) -> uint64_t {
      const HeapChunk* chunk = At(payload);
      return chunk == nullptr ? 0 : chunk->payload.size() + sizeof(uint64_t);
    };
    std::vector<Addr> cached;
    for (const Addr arena : arenas_) {
      ReadFastBins(memory_, arena, chunks_.size(), size_of, cached);
    }
    for (const HeapChunk& chunk : chunks_) {
      if (chunk.in_use) ReadThreadCache(memory_, chunk.payload, size_of, cached);
    }
    for (const Addr payload : cached) At(payload)->in_use = false;
    // The main thread's cache is malloc's own, and the first block of the heap.
    HeapChunk* first = At(Addr((image_.layout().start_brk.value() + 31) & ~uint64_t{15}));
    if (first != nullptr && first->payload.size() == kThreadCacheSize) first->in_use = false;
  }

  const checkpoint::ProcessImage& image_;
  MemoryWindow memory_;
  std::vector<HeapChunk> chunks_;
  std::vector<Range<Addr>> heaps_;  // of arenas other than the main one
  std::vector<Addr> arenas_;
};

}  // namespace

Result<std::vector<HeapChunk>> WalkHeap(const checkpoint::ProcessImage& image) {
  return HeapWalk(image).Run();
}

const HeapChunk* FindChunk(const std::vector<HeapChunk>& chunks, Addr address) {
  auto after = std::ranges::upper_bound(
      chunks, address, {}, [](const HeapChunk& chunk) { return chunk.payload.begin(); });
  if (after == chunks.begin()) return nullptr;
  const HeapChunk& candidate = *std::prev(after);
  return candidate.payload.Contains(address) ? &candidate : nullptr;
}

}  // namespace mcr::mutator
