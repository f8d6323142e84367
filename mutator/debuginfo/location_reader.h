// DWARF location descriptions (version 5, 2.5 and 2.6) as far as compilers use them for variables.
#ifndef MCR_MUTATOR_DEBUGINFO_LOCATION_READER_H_
#define MCR_MUTATOR_DEBUGINFO_LOCATION_READER_H_

#include <llvm/DebugInfo/DWARF/DWARFUnit.h>

#include <cstdint>
#include <vector>

#include "mutator/debuginfo/frame_variables.h"

namespace mcr::mutator {

// `frame_base`: what DW_OP_fbreg counts from.
std::vector<Location> ReadLocation(llvm::ArrayRef<uint8_t> expression, llvm::DWARFUnit& unit,
                                   const Location& frame_base);

// DW_AT_frame_base: a register, or the canonical frame address.
Location ReadFrameBase(const llvm::DWARFDie& function);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_LOCATION_READER_H_
