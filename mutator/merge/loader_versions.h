// The dynamic loader's table of the symbol versions that a module asks for (`l_versions` of glibc's
// link map, elf/dl-version.c): names that point into the module, by the indices that the module's
// own symbol table uses. Symbols that are looked up later are compared with it.
#ifndef MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_
#define MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

// `struct r_found_version` (glibc, include/link.h).
struct VersionEntry {
  uint64_t name = 0;  // in the module; null for the reserved indices
  uint32_t hash = 0;
  int32_t hidden = 0;
  uint64_t file = 0;  // the name of the library that has it, in the module as well; null: itself

  bool operator==(const VersionEntry&) const = default;
};

struct VersionTable {
  Addr at;
  std::vector<VersionEntry> entries;

  Range<Addr> range() const {
    return *Range<Addr>::FromSize(at, entries.size() * sizeof(VersionEntry));
  }
};

// The table that begins at `at`, with all its entries; nullopt: there is none. `module`: whose
// table it is, which the names are in.
std::optional<VersionTable> FindVersionTable(const MemoryReader& memory, Addr at,
                                             const Range<Addr>& module);

// Whether two tables have the same names, as their hashes tell, under the same indices.
bool SameVersions(const VersionTable& one, const VersionTable& other);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_LOADER_VERSIONS_H_
