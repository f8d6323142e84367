// Writes the objects of changed types as the new version lays them out.
#ifndef MCR_MUTATOR_MERGE_RESHAPE_H_
#define MCR_MUTATOR_MERGE_RESHAPE_H_

#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/memory_reader.h"
#include "mutator/merge/live_words.h"
#include "mutator/merge/object_moves.h"
#include "mutator/merge/start_heap_merge.h"

namespace mcr::mutator {

// Adds the allocations and writes to `graft`; what cannot be carried over to `problems`.
void Reshape(const MemoryReader& live, const ObjectMoves& moves, const LiveWords& words,
             const StartHeapMerge& start_heap, checkpoint::ProcessGraft& graft,
             std::vector<std::string>& problems);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_RESHAPE_H_
