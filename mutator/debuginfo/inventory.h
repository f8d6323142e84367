// A program's variables and functions: what DWARF and the symbol table say, made one list each.
#ifndef MCR_MUTATOR_DEBUGINFO_INVENTORY_H_
#define MCR_MUTATOR_DEBUGINFO_INVENTORY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "mutator/debuginfo/dwarf_reader.h"
#include "mutator/debuginfo/records.h"

namespace mcr::mutator {

// What there is to sort out: the program as its headers, symbols and DWARF describe it.
struct Evidence {
  std::span<const Section> sections;  // by address
  std::span<const Symbol> symbols;    // by address
  uint64_t tls_size = 0;              // bytes
  const DwarfContents& dwarf;
};

// By address, thread-local ones last, by offset. Keys are unique: namesakes in one function (or
// unit) get "#2", "#3" appended in the order of their declaration.
std::vector<Variable> ListVariables(const Evidence& evidence);

// By address, without overlap at their starts; keys are unique. Parts that the compiler split off
// ("f.cold") are functions of their own.
std::vector<Function> ListFunctions(const Evidence& evidence);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_INVENTORY_H_
