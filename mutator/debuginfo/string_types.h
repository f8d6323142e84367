// std::string of libstdc++, as clang describes it in programs that do not define it themselves: one
// class within it is only declared.
#ifndef MCR_MUTATOR_DEBUGINFO_STRING_TYPES_H_
#define MCR_MUTATOR_DEBUGINFO_STRING_TYPES_H_

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

// Completes `_Alloc_hider`, which holds the pointer to the characters and nothing else, in all
// strings whose other members leave just the room for it.
void CompleteStrings(TypeTable& types);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_STRING_TYPES_H_
