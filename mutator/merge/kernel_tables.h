// What the kernel keeps for a process and hands back to it: signal handlers and their stacks, epoll
// data, the values of timers.
#ifndef MCR_MUTATOR_MERGE_KERNEL_TABLES_H_
#define MCR_MUTATOR_MERGE_KERNEL_TABLES_H_

#include <optional>
#include <string>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::mutator {

// Everything in them that points into old modules.
void MergeKernelTables(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                       checkpoint::ProcessGraft& graft, MergePlan& plan);

// A timer's value can only be changed by making the timer anew. Why this one cannot be; nullopt if
// it can.
std::optional<std::string> WhyNotMadeAnew(const checkpoint::Timer& timer);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_KERNEL_TABLES_H_
