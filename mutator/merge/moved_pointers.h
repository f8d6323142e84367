// Pointers to objects of changed types, wherever they are kept: in memory, on stacks, in registers,
// in the kernel.
#ifndef MCR_MUTATOR_MERGE_MOVED_POINTERS_H_
#define MCR_MUTATOR_MERGE_MOVED_POINTERS_H_

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/merge/account.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/merge/stack/take_over.h"
#include "mutator/merge/typed_objects.h"

namespace mcr::mutator {

// Adds to `graft`, after everything else is in there, what makes them follow their objects; what
// cannot to `plan.problems`, and to `account` what stays by annotation. The changed modules' own
// memory and the reshaped objects are left out: module_image.h and reshape.h write them.
Status MergeMovedPointers(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                          const TypedObjects& objects, const StackTakeOver& stacks,
                          checkpoint::ProcessGraft& graft, Account& account, MergePlan& plan);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_MOVED_POINTERS_H_
