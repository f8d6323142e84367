// What the old version's starts say of a word that may be a pointer or the end of a text
// (text_tail.h).
//
// Memory that start-up wrote lies at the same place in each start, and each start has its files
// elsewhere. A pointer names the same in all of them, so that its bytes differ; characters are the
// same bytes, so that they would point elsewhere.
#ifndef MCR_MUTATOR_MERGE_START_WITNESS_H_
#define MCR_MUTATOR_MERGE_START_WITNESS_H_

#include <cstddef>

#include "checkpoint/process_image.h"
#include "mcr/base/range.h"
#include "mutator/graph/text_tail.h"
#include "mutator/graph/word_scanner.h"
#include "mutator/merge/base.h"

namespace mcr::mutator {

// `text`: the characters of `live` that run up to the word, and may go on in it. kNone: the word is
// a pointer; kCovers (without a length): the text's end; kUnknown: the starts do not tell.
TextTail AskStarts(const Base& base, const checkpoint::ProcessImage& live,
                   const LikelyPointer& pointer, Range<Addr> text);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_WITNESS_H_
