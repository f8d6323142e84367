// Whether the lists that glibc's malloc keeps of free blocks lead both ways (malloc/malloc.c,
// struct malloc_chunk and unlink_chunk): a server whose lists do not is ended by the next call that
// needs one of these blocks.
#ifndef MCR_MUTATOR_VALIDATE_FREE_LISTS_H_
#define MCR_MUTATOR_VALIDATE_FREE_LISTS_H_

#include "mcr/base/memory_reader.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/heap_view.h"

namespace mcr::mutator {

void CheckFreeLists(const MemoryReader& memory, const HeapView& heap, Finding& finding);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_FREE_LISTS_H_
