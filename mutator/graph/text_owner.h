// Who knows how long a text is? Programs keep a pointer to a text next to its length, or next to a
// pointer to its end.
#ifndef MCR_MUTATOR_GRAPH_TEXT_OWNER_H_
#define MCR_MUTATOR_GRAPH_TEXT_OWNER_H_

#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/text_tail.h"

namespace mcr::mutator {

// Each of `texts`: characters that run up to a likely pointer, which begins at their end. Searches
// all memory of the process, once for all of them, for pointers into the texts with such a
// neighbour. Slow, for words that ExamineText cannot judge. Answers in the order of `texts`.
Result<std::vector<TextEvidence>> FindTextOwners(const checkpoint::ProcessImage& image,
                                                 std::span<const Range<Addr>> texts);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_TEXT_OWNER_H_
