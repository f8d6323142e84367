// The part of a graft that only the process itself can do: mappings, signal handlers and their
// stacks, epoll entries.
#ifndef MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
#define MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_

#include <vector>

#include "checkpoint/call_batch.h"
#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "tracer/task.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

// `new_files`: the descriptors of GraftPlan::new_files in the process, -1 for one that no mapping
// needs.
std::vector<BatchedCall> CallsFor(const ProcessGraft& graft, const std::vector<int>& new_files);

BatchedCall SigactionCall(const SignalHandler& handler);
void AddEpollCalls(const EpollEntry& entry, std::vector<BatchedCall>& calls);

// Done by `task`, the thread that has the stack: nobody else can, nor it while it runs on it.
Status SetSignalStack(tracer::TracedProcess& process, tracer::Task& task, const SignalStack& stack);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_KERNEL_CALLS_H_
