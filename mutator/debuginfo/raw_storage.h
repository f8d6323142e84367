// Class templates that keep room for a value of their parameter: nodes of C++ containers and blocks
// of std::make_shared hold their values like that.
#ifndef MCR_MUTATOR_DEBUGINFO_RAW_STORAGE_H_
#define MCR_MUTATOR_DEBUGINFO_RAW_STORAGE_H_

#include <llvm/DebugInfo/DWARF/DWARFDie.h>

namespace mcr::mutator {

// The type that `record` has room for, and for nothing else: its only type parameter, if all its
// data is bytes of that type's size which are aligned on purpose. Invalid for all other records.
llvm::DWARFDie ReadRawStorage(const llvm::DWARFDie& record);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_RAW_STORAGE_H_
