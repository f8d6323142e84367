// The allocations that a server has had since its start: the same ones are in a rehearsal of the
// same program, at the same offsets in the heap, because start-up is deterministic.
//
// That is not assumed: a block that was given back and taken again lies in the same place. So the
// contents have to agree, too, for the most part; a server changes some of what start-up made.
#ifndef MCR_MUTATOR_GRAPH_CHUNK_PAIRING_H_
#define MCR_MUTATOR_GRAPH_CHUNK_PAIRING_H_

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/heap_chunks.h"

namespace mcr::mutator {

struct ChunkPair {
  Range<Addr> live, base;  // payloads, of one size
};

// By address. Of the main arena only: where threads allocate is not deterministic. `live_chunks`
// and `base_chunks` as WalkHeap returns them.
std::vector<ChunkPair> PairChunks(const checkpoint::ProcessImage& live,
                                  const std::vector<HeapChunk>& live_chunks,
                                  const checkpoint::ProcessImage& base,
                                  const std::vector<HeapChunk>& base_chunks);

// The pair whose chunk in the one process holds `at`, or nullptr. `pairs` as PairChunks returns
// them.
const ChunkPair* FindPair(const std::vector<ChunkPair>& pairs, Range<Addr> ChunkPair::* side,
                          Addr at);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_CHUNK_PAIRING_H_
