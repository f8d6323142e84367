// The blocks of memory that glibc's malloc has handed out, from the bookkeeping that it keeps in
// memory (malloc/malloc.c and malloc/arena.c of glibc 2.26 to 2.41; Linux, 64 bit).
//
// Read, never written. The memory belongs to a program that may have scribbled over it, or that
// does not use this allocator at all: a region counts only if its chunks lead from its beginning
// exactly to its end.
#ifndef MCR_MUTATOR_GRAPH_HEAP_CHUNKS_H_
#define MCR_MUTATOR_GRAPH_HEAP_CHUNKS_H_

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

struct HeapChunk {
  Range<Addr> payload;  // what the program may use: malloc_usable_size(3) bytes
  // False also for what free(3) keeps in a thread's cache or a fast bin, and for the cache itself.
  bool in_use = false;
  bool mmapped = false;  // has a mapping of its own

  bool operator==(const HeapChunk&) const = default;
};

// The chunks of all arenas and the large ones, by address; the unused rest of an arena is one that
// is not in use. Left out are regions that do not read as malloc's, and large aligned blocks
// (memalign(3) above the threshold from which malloc maps).
Result<std::vector<HeapChunk>> WalkHeap(const checkpoint::ProcessImage& image);

// The chunk that `address` is in the payload of, or nullptr. `chunks` as WalkHeap returns them.
const HeapChunk* FindChunk(const std::vector<HeapChunk>& chunks, Addr address);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_HEAP_CHUNKS_H_
