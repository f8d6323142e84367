#include "mutator/validate/free_lists.h"

#include <fmt/format.h>

#include <cstdint>

namespace mcr::mutator {
namespace {

// A chunk as malloc sees it; the payload begins at `next`.
struct Chunk {
  uint64_t previous_size, size;
  uint64_t next, previous;                 // in its list
  uint64_t next_larger, previous_smaller;  // of large ones: the next size in the list, or zero
};
constexpr uint64_t kHeader = 2 * sizeof(uint64_t);
constexpr uint64_t kPreviousInUse = 1;     // a flag in the size of the chunk behind
constexpr uint64_t kSmallestLarge = 1024;  // bytes of a chunk

class Lists {
 public:
  explicit Lists(const MemoryReader& memory) : memory_(memory) {}

  // Those that a thread's cache or a fast bin keeps are in use for malloc, and in no such list.
  bool IsListed(const HeapChunk& chunk) const {
    const auto behind = memory_.ReadValue<uint64_t>(chunk.payload.end());
    return !chunk.in_use && behind && (*behind & kPreviousInUse) == 0;
  }

  bool LeadsBothWays(const HeapChunk& block) const {
    const Addr at(block.payload.begin().value() - kHeader);
    const auto chunk = memory_.ReadValue<Chunk>(at);
    if (!chunk) return false;
    if (!Is(chunk->next, &Chunk::previous, at) || !Is(chunk->previous, &Chunk::next, at)) {
      return false;
    }
    const bool has_sizes = block.payload.size() >= kSmallestLarge && chunk->next_larger != 0;
    return !has_sizes || (Is(chunk->next_larger, &Chunk::previous_smaller, at) &&
                          Is(chunk->previous_smaller, &Chunk::next_larger, at));
  }

 private:
  // The heads of the lists, in the arena, are read as chunks, too.
  bool Is(uint64_t at, uint64_t Chunk::* link, Addr wanted) const {
    const auto chunk = memory_.ReadValue<Chunk>(Addr(at));
    return chunk && (*chunk).*link == wanted.value();
  }

  const MemoryReader& memory_;
};

}  // namespace

void CheckFreeLists(const MemoryReader& memory, const HeapView& heap, Finding& finding) {
  const Lists lists(memory);
  for (const HeapChunk& chunk : heap.chunks()) {
    if (!lists.IsListed(chunk)) continue;
    ++finding.checked;
    if (lists.LeadsBothWays(chunk)) continue;
    finding.Wrong(
        fmt::format("the free block at {} is not in its list", Hex(chunk.payload.begin())));
  }
}

}  // namespace mcr::mutator
