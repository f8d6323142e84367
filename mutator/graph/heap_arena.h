// glibc's malloc keeps its books in records of its own: arenas (malloc_state), heaps of arenas
// (heap_info), and a cache per thread (tcache_perthread_struct). None of them has a symbol in a
// stripped library: they are told by what they must look like.
#ifndef MCR_MUTATOR_GRAPH_HEAP_ARENA_H_
#define MCR_MUTATOR_GRAPH_HEAP_ARENA_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/memory_window.h"

namespace mcr::mutator {

// The size of the chunk whose payload begins there, header included; 0 if none does.
using ChunkSize = std::function<uint64_t(Addr payload)>;

struct Arena {
  Addr at;
  Addr top;  // where its unused rest begins
};
// nullopt: that is no arena.
std::optional<Arena> ReadArena(MemoryWindow& memory, Addr at);

// The arena in a module's data whose unused rest is in `heap`.
std::optional<Arena> FindMainArena(const checkpoint::ProcessImage& image, MemoryWindow& memory,
                                   Range<Addr> heap);

struct HeapInfo {
  Addr arena;
  Addr end;  // of the part that is in use
  // Where the first chunk may be; which it is depends on the library's version.
  std::vector<Addr> first_chunks;
};
// Of the heap at `heap`, if there is one. `mapped_end` is where the writable mapping ends.
std::optional<HeapInfo> ReadHeapInfo(MemoryWindow& memory, Addr heap, Addr mapped_end);

// Append the payloads of chunks that were freed, and are kept at hand without being marked as free.
// A list that leads to something else than chunks of its size, or to more than `most`, adds
// nothing.
void ReadFastBins(MemoryWindow& memory, Addr arena, uint64_t most, const ChunkSize& size_of,
                  std::vector<Addr>& cached);
// malloc_usable_size(3) of struct tcache_perthread_struct since glibc 2.30.
inline constexpr uint64_t kThreadCacheSize = 648;

// `payload`: that of a chunk which may be a thread's cache.
void ReadThreadCache(MemoryWindow& memory, Range<Addr> payload, const ChunkSize& size_of,
                     std::vector<Addr>& cached);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_HEAP_ARENA_H_
