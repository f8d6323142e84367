// Searching memory that is too large to be read at once.
#ifndef MCR_MUTATOR_GRAPH_MEMORY_PIECES_H_
#define MCR_MUTATOR_GRAPH_MEMORY_PIECES_H_

#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {

// ScanWords of all of `range`, by address.
Status ScanPieces(const checkpoint::ProcessImage& image, Range<Addr> range,
                  std::span<const Range<Addr>> targets, const PointerGuard& guard,
                  std::vector<LikelyPointer>& into);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_MEMORY_PIECES_H_
