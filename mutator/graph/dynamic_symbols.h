// Functions that a loaded module exports, from its dynamic section in memory (gabi, "Dynamic
// Section"; DT_GNU_HASH as glibc's elf/dl-lookup.c reads it).
#ifndef MCR_MUTATOR_GRAPH_DYNAMIC_SYMBOLS_H_
#define MCR_MUTATOR_GRAPH_DYNAMIC_SYMBOLS_H_

#include <optional>
#include <string_view>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mutator/graph/loaded_modules.h"

namespace mcr::mutator {

std::optional<Addr> FindExported(const MemoryReader& memory, const LoadedModule& module,
                                 std::string_view name);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_DYNAMIC_SYMBOLS_H_
