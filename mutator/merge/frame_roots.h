// The local variables of active functions as roots: objects that only they point to have types,
// too.
#ifndef MCR_MUTATOR_MERGE_FRAME_ROOTS_H_
#define MCR_MUTATOR_MERGE_FRAME_ROOTS_H_

#include <set>
#include <string>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/graph/tracer.h"
#include "mutator/merge/changed_modules.h"

namespace mcr::mutator {

// Of functions of `module`, on the stacks of threads that were unwound. Returns what stands in the
// way: variables of a changed type in functions that do not change with it.
std::vector<std::string> AddFrameRoots(const checkpoint::ProcessImage& live,
                                       const ChangedModule& module, Tracer& tracer);

// What of a thread's stack and registers is not taken over: frames of functions that changed are
// made anew, of the values that AddFrameRoots has seen.
struct RebuiltFrames {
  std::vector<Range<Addr>> memory;  // by address
  std::set<int> registers;          // callee-saved ones, by DWARF number
};
RebuiltFrames FindRebuilt(const checkpoint::ThreadImage& thread, const ChangedModules& modules);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_FRAME_ROOTS_H_
