// The part of a graft that only the process itself can do: mappings, signal handlers, epoll
// entries.
#ifndef MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
#define MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_

#include <vector>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"

namespace mcr::checkpoint {

// `new_files`: the descriptors of GraftPlan::new_files in the process, -1 for one that no mapping
// needs.
std::vector<BatchedCall> CallsFor(const ProcessGraft& graft, const std::vector<int>& new_files);

BatchedCall SigactionCall(const SignalHandler& handler);
BatchedCall EpollCall(const EpollEntry& entry);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
