// Where a process keeps the unwind table of the code at an address: the .eh_frame_hdr of the ELF
// file mapped there (Linux Standard Base Core, 10.6.2), found by the program headers in memory.
#ifndef MCR_TRACER_EH_FRAME_H_
#define MCR_TRACER_EH_FRAME_H_

#include <cstdint>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

struct UnwindTable {
  Range<Addr> module;  // of the mapped file, first to last loaded byte
  Addr header;         // of .eh_frame_hdr: what the table's offsets count from
  Addr entries;        // sorted pairs of 32-bit offsets: function, frame description
  uint64_t entry_count = 0;
};

// Memory is all that it asks, so a file that was deleted or replaced, and the vdso, are no
// different.
Result<UnwindTable> FindUnwindTable(Addr code, const MemoryReader& memory,
                                    const Mappings& mappings);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_EH_FRAME_H_
