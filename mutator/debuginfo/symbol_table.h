// The symbols of an ELF file (gabi, "Symbol Table").
#ifndef MCR_MUTATOR_DEBUGINFO_SYMBOL_TABLE_H_
#define MCR_MUTATOR_DEBUGINFO_SYMBOL_TABLE_H_

#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

// From .symtab of the program or else of its debug file (may be nullptr), or else .dynsym; by
// address.
Result<std::vector<Symbol>> ReadSymbols(const ElfFile& program, const ElfFile* debug);

// By address; RELR entries are spelled out as R_X86_64_RELATIVE.
Result<std::vector<Relocation>> ReadRelocations(const ElfFile& program);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_SYMBOL_TABLE_H_
