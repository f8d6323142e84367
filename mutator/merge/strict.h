// `--strict`: what the merge takes for pointers by their looks alone is counted, and refused.
//
// A word that holds the entry of a function is one: few numbers do. A word that holds the address
// of data may be a number, or left over from what the allocator's memory was used for before; where
// its object has a type, the type says.
#ifndef MCR_MUTATOR_MERGE_STRICT_H_
#define MCR_MUTATOR_MERGE_STRICT_H_

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/typed_objects.h"

namespace mcr::mutator {

// A word in memory of an allocator that was retargeted to data.
struct Guess {
  Addr at;
  uint64_t target = 0;  // in an old module
};

// A problem for those of which no type says that they are pointers; their number goes to
// PointerCounts::unproven.
void RefuseUnproven(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                    const TypedObjects& objects, const std::vector<Guess>& guesses,
                    MergePlan& plan);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_STRICT_H_
