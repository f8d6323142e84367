// What the dynamic loader remembers of the program: its link map (<link.h>, glibc include/link.h).
// Besides pointers into the program it holds numbers that belong to the file (hash table size,
// RELRO offset), which symbol lookups of a later dlopen would use. The same start-up has filled in
// the rehearsal's link map: it is the model.
#ifndef MCR_MUTATOR_MERGE_LOADER_STATE_H_
#define MCR_MUTATOR_MERGE_LOADER_STATE_H_

#include <optional>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// The program's own link map in a process, found through DT_DEBUG of its dynamic section. nullopt:
// statically linked, or not started by ld.so.
std::optional<Range<Addr>> FindLinkMap(const checkpoint::ProcessImage& image,
                                       const Program& program, Addr bias);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LOADER_STATE_H_
