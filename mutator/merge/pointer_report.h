// What a plan says of a pointer that was translated, or could not be.
#ifndef MCR_MUTATOR_MERGE_POINTER_REPORT_H_
#define MCR_MUTATOR_MERGE_POINTER_REPORT_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "mutator/merge/address_map.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::mutator {

void Count(PointerKind kind, PointerCounts& counts);

// "process 7: HOLDER points to `job`: …". `module`: the one that `target` is in.
std::string Refusal(pid_t pid, const std::string& holder, const ChangedModule& module,
                    uint64_t target, const Translation& translation);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_POINTER_REPORT_H_
