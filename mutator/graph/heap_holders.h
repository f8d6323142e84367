// Which words of a process hold the address of which of its allocations: conservatively, all that
// look like it.
#ifndef MCR_MUTATOR_GRAPH_HEAP_HOLDERS_H_
#define MCR_MUTATOR_GRAPH_HEAP_HOLDERS_H_

#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/graph/heap_chunks.h"

namespace mcr::mutator {

struct HeapHolder {
  Addr allocation;  // where its payload begins
  Addr word;        // what points into it
};

// By allocation. Left out are words that nobody reads any more (below a stack pointer, in memory
// that was given back) and those of malloc's own tables. `chunks`: as WalkHeap returns them.
Result<std::vector<HeapHolder>> FindHolders(const checkpoint::ProcessImage& image,
                                            const std::vector<HeapChunk>& chunks);

// Those of one allocation. `holders` as FindHolders returns them.
std::span<const HeapHolder> HoldersOf(const std::vector<HeapHolder>& holders, Addr allocation);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_HEAP_HOLDERS_H_
