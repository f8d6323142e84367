// Where the new program's segments go, as the kernel's ELF loader maps them (fs/binfmt_elf.c).
#ifndef MCR_MUTATOR_MERGE_SEGMENT_MAPPINGS_H_
#define MCR_MUTATOR_MERGE_SEGMENT_MAPPINGS_H_

#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// File mappings and zero pages for all segments, with RELRO read-only already.
std::vector<checkpoint::NewMapping> SegmentMappings(const Program& program, Addr bias);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_SEGMENT_MAPPINGS_H_
