// Reading one debugging information entry (DIE): attributes by meaning, LLVM's odd corners kept in
// one place.
#ifndef MCR_MUTATOR_DEBUGINFO_DIE_H_
#define MCR_MUTATOR_DEBUGINFO_DIE_H_

#include <llvm/DebugInfo/DWARF/DWARFDie.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

// The attribute of this very DIE as an unsigned number; nullopt if absent or not a number.
std::optional<uint64_t> Unsigned(const llvm::DWARFDie& die, llvm::dwarf::Attribute attribute);
bool Flag(const llvm::DWARFDie& die, llvm::dwarf::Attribute attribute);
// Points into the string section; "" if absent.
std::string_view Name(const llvm::DWARFDie& die);

// The entry that this one completes or instantiates (DW_AT_specification, DW_AT_abstract_origin),
// at the end of the chain; the DIE itself if there is none.
llvm::DWARFDie Origin(const llvm::DWARFDie& die);

// The type behind typedefs and qualifiers; invalid for `void` and for chains without an end.
llvm::DWARFDie Unaliased(llvm::DWARFDie die);

// "ns::Class::" of the namespaces and types around a DIE; "" in C.
std::string ScopePrefix(const llvm::DWARFDie& die);

// The name of the translation unit ("src/core/log.c") that the DIE's origin belongs to.
std::string UnitName(const llvm::DWARFDie& die);

// Where a variable is, if that is one address for all its life (DW_OP_addr and nothing else, or the
// thread-local counterpart).
struct StaticLocation {
  uint64_t address = 0;  // thread_local_storage: offset into PT_TLS
  bool thread_local_storage = false;
};
std::optional<StaticLocation> ReadStaticLocation(const llvm::DWARFDie& die);

// The parts that are in memory, of a static variable that is in parts and nothing else
// (DW_OP_piece); those that no code needs are left out. One that is of two values as a whole is a
// single part, of size 0. nullopt: it is neither.
std::optional<std::vector<VariableInParts::Part>> ReadStaticPieces(const llvm::DWARFDie& die);

// Whether a static variable is not one piece of memory: the compiler keeps its members apart, or it
// in another form.
bool IsScattered(const llvm::DWARFDie& die);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_DIE_H_
