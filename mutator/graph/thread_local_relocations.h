// Where a loaded module keeps how to find thread-local variables: from the relocations in its
// memory (gabi; System V ABI for x86-64, 4.4).
#ifndef MCR_MUTATOR_GRAPH_THREAD_LOCAL_RELOCATIONS_H_
#define MCR_MUTATOR_GRAPH_THREAD_LOCAL_RELOCATIONS_H_

#include <cstdint>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

struct ThreadLocalRelocation {
  Addr at;
  uint32_t type = 0;  // R_X86_64_TPOFF64, R_X86_64_TLSDESC
};

std::vector<ThreadLocalRelocation> FindThreadLocalRelocations(const MemoryReader& memory,
                                                              const LoadedModule& module);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_THREAD_LOCAL_RELOCATIONS_H_
