// Whether the allocator's bookkeeping still reads, and whether every object that has a new layout
// lies wholly in a block that is in use, where no other is.
#ifndef MCR_MUTATOR_VALIDATE_HEAP_CHECK_H_
#define MCR_MUTATOR_VALIDATE_HEAP_CHECK_H_

#include "mutator/merge/account.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/heap_view.h"

namespace mcr::mutator {

void CheckHeap(const Account& account, const HeapView& heap, Finding& finding);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_HEAP_CHECK_H_
