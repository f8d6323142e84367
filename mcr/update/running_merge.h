// A merge of the server as it runs. What it reads may be torn, since nothing is paused: it serves
// to see what stands in the way, and to have looked up most addresses before the pause.
#ifndef MCR_UPDATE_RUNNING_MERGE_H_
#define MCR_UPDATE_RUNNING_MERGE_H_

#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/rehearse.h"
#include "mutator/merge/merge.h"

namespace mcr::update {

// The merger for this server and update.
mutator::Merger MakeMerger(const Inspection& server);

// Merges again for a while if there are problems: what was half written or given back, or a process
// that is ending, is soon gone; what stands in the way is not. Only problems that there are each
// time are in the plan.
Result<mutator::MergePlan> MergeRunning(const Inspection& server, const Rehearsals& rehearsals,
                                        mutator::Merger& merger);

}  // namespace mcr::update

#endif  // MCR_UPDATE_RUNNING_MERGE_H_
