// The dynamic loader's table of the symbol versions that a module asks for (`l_versions` of glibc's
// link map, elf/dl-version.c): names that point into the module, by the indices that the module's
// own symbol table uses. Symbols that are looked up later are compared with it.
#ifndef MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_
#define MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_

#include <cstdint>
#include <optional>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

// The table that begins at `at`, with all its entries; nullopt: there is none.
std::optional<Range<Addr>> FindVersionTable(const MemoryReader& memory, Addr at);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_
