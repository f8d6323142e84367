// Whether the entries of a unit of debug information lie within it. LLVM believes the lengths that
// they claim, and reads on wherever those lead.
#ifndef MCR_MUTATOR_DEBUGINFO_UNIT_BOUNDS_H_
#define MCR_MUTATOR_DEBUGINFO_UNIT_BOUNDS_H_

#include <llvm/DebugInfo/DWARF/DWARFUnit.h>

#include "mcr/base/result.h"

namespace mcr::mutator {

// Before anything else is asked of the unit. Fails if an entry does not end within the unit, or is
// of a kind or has a value of a form that nobody knows (DWARF 5, 7.5).
Status CheckBounds(llvm::DWARFUnit& unit);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_UNIT_BOUNDS_H_
