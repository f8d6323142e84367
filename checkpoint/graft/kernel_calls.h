// The part of a graft that only the process itself can do: mappings, signal handlers and their
// stacks, epoll entries.
#ifndef MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
#define MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_

#include <vector>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"

namespace mcr::checkpoint {

// A call and what takes it back.
struct ReversibleCalls {
  std::vector<BatchedCall> forward;
  std::vector<BatchedCall> inverse;  // as many, in the same order

  // The inverses of those forward calls that have succeeded, the last first.
  std::vector<BatchedCall> Undone() const;
};

// `new_files`: the descriptors of GraftPlan::new_files in the process, -1 for one that no mapping
// needs.
ReversibleCalls CallsFor(const ProcessGraft& graft, const std::vector<int>& new_files);

// Of the thread that has the stack.
BatchedCall SignalStackCall(const SignalStack& stack);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
