// Who knows how long a text is? Programs keep a pointer to a text next to its length, or next to a
// pointer to its end.
#ifndef MCR_MUTATOR_GRAPH_TEXT_OWNER_H_
#define MCR_MUTATOR_GRAPH_TEXT_OWNER_H_

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/text_tail.h"

namespace mcr::mutator {

// `text`: characters that run up to a likely pointer, which begins at text.end(). Searches all
// memory of the process for a pointer into the text with such a neighbour: slow, for the few words
// that ExamineText cannot judge.
Result<TextEvidence> FindTextOwner(const checkpoint::ProcessImage& image, Range<Addr> text);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_TEXT_OWNER_H_
