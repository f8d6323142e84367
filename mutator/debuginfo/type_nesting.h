// Types that contain types: all that goes through types by recursion relies on an end to it, which
// only debug information that is corrupt does not have.
#ifndef MCR_MUTATOR_DEBUGINFO_TYPE_NESTING_H_
#define MCR_MUTATOR_DEBUGINFO_TYPE_NESTING_H_

#include <optional>

#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

inline constexpr int kDeepestNesting = 100;  // that of real types is below 30

// A type that contains itself, or whose contents nest deeper than that: members, elements, and
// pointers that are pointed to. nullopt: there is none.
std::optional<TypeId> FindBottomless(const TypeTable& types);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_TYPE_NESTING_H_
