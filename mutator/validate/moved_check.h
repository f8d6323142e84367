// Whether everything that pointed to an object with a new layout, or into it, follows it: a search
// through all memory that may hold such a pointer.
#ifndef MCR_MUTATOR_VALIDATE_MOVED_CHECK_H_
#define MCR_MUTATOR_VALIDATE_MOVED_CHECK_H_

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"
#include "mutator/validate/before_memory.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/word_match.h"

namespace mcr::mutator {

// Words that were written to are left out: they have been compared with what they were.
Status CheckMovedPointers(const checkpoint::ProcessImage& image, const WordMatch& words,
                          const Overwritten& overwritten, bool skip_shared, Finding& finding);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_MOVED_CHECK_H_
