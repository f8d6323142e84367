// Thread-local variables of modules that change.
//
// New code finds them, and those of all other modules that the program was started with, where the
// new version's start has put them: each thread's blocks are laid out anew, in the room that glibc
// keeps below its control block, and what says where they are follows.
#ifndef MCR_MUTATOR_MERGE_THREAD_LOCALS_H_
#define MCR_MUTATOR_MERGE_THREAD_LOCALS_H_

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "mutator/merge/account.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/thread_local_places.h"

namespace mcr::mutator {

// After everything else: what `graft` writes to the blocks goes where they will be.
Status MergeThreadLocals(const ThreadLocalsContext& context, checkpoint::ProcessGraft& graft,
                         Account& account, MergePlan& plan);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_THREAD_LOCALS_H_
