// What is left below the stack pointer of a thread that waits in a system call.
#ifndef MCR_MUTATOR_MERGE_BELOW_SYSTEM_CALL_H_
#define MCR_MUTATOR_MERGE_BELOW_SYSTEM_CALL_H_

#include <algorithm>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/graph/red_zone.h"
#include "mutator/merge/changed_modules.h"

namespace mcr::mutator {

// Whether `at` is where a library's function might keep something, but has no use for it, since it
// waits in a system call.
inline bool IsBelowSystemCall(const checkpoint::ProcessImage& live, const ChangedModules& modules,
                              Addr at) {
  return std::ranges::any_of(live.threads(), [&](const checkpoint::ThreadImage& thread) {
    return IsInRedZone(at, Addr(thread.registers.rsp)) && !modules.HoldOld(thread.registers.rip);
  });
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_BELOW_SYSTEM_CALL_H_
