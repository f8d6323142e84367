// Where a program's debug information is: in the program itself or in a separate file (GDB manual,
// "Debugging Information in Separate Files").
#ifndef MCR_MUTATOR_DEBUGINFO_DEBUG_FILE_FINDER_H_
#define MCR_MUTATOR_DEBUGINFO_DEBUG_FILE_FINDER_H_

#include <memory>

#include "mcr/base/result.h"
#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

// nullptr: the program has its own. Fails, naming the places tried, if there is none anywhere. A
// file counts only if its build-id is the program's or, for a program without one, the checksum in
// .gnu_debuglink fits.
Result<std::unique_ptr<ElfFile>> FindDebugFile(const ElfFile& program, const DebugSearch& search);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_DEBUG_FILE_FINDER_H_
