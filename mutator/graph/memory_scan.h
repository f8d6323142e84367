// Conservative scanning of all the memory of a process.
#ifndef MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_
#define MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {

// Whether the mapping holds memory of the process: not the kernel's, not unreadable.
bool IsScanned(const Mapping& mapping);

// The pointer guard of the process's main thread; of an image without registers (a dry run), one
// that demangles no word to a user address.
PointerGuard ReadPointerGuard(const checkpoint::ProcessImage& image);

// Every likely pointer into `target` in the populated pages of one mapping, by address.
Result<std::vector<LikelyPointer>> ScanMapping(const checkpoint::ProcessImage& image,
                                               const Mapping& mapping, Range<Addr> target,
                                               const PointerGuard& guard);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_
