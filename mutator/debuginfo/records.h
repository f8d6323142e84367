// The entries of a Program's lists: what an ELF file and its DWARF say about one thing each.
#ifndef MCR_MUTATOR_DEBUGINFO_RECORDS_H_
#define MCR_MUTATOR_DEBUGINFO_RECORDS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct Segment {             // PT_LOAD
  Range<FileAddr> range;     // memory size
  uint64_t file_offset = 0;  // bytes
  uint64_t file_size = 0;    // bytes; the rest of `range` is zero
  bool readable = false, writable = false, executable = false;
};

struct Section {
  std::string name;
  Range<FileAddr> range;  // empty for sections that are not loaded
  uint64_t file_offset = 0;
  bool writable = false, executable = false, allocated = false;
  bool no_bits = false;  // .bss
};

enum class SymbolKind { kFunction, kObject, kTls, kIndirectFunction, kOther };

struct Symbol {      // .symtab if there is one, .dynsym otherwise; undefined symbols are left out
  std::string name;  // without version
  std::string unit;  // for local symbols: the STT_FILE name they stand under ("log.c"); else ""
  SymbolKind kind = SymbolKind::kOther;
  bool local = false;
  Range<FileAddr> range;  // size 0 as the symbol says
};

// A variable with a place in memory: a global, a file static, or a static local.
struct Variable {
  std::string name;      // qualified: "ns::x"; the symbol's name where there is no DWARF for it
  std::string unit;      // translation unit, for statics ("src/core/log.c", as DWARF names it); ""
                         // for globals
  std::string function;  // the enclosing function of a static local; else ""
  Range<FileAddr> range;
  TypeId type = 0;                    // 0: known from the symbol table alone
  bool thread_local_storage = false;  // range is then an offset into PT_TLS

  // name, unit and function: what pairs a variable with its counterpart in another version.
  std::string Key() const;
};

// clang keeps a static number that only ever holds two values as a byte, of which it computes them.
struct TwoValues {
  uint64_t first = 0, second = 0;  // of the byte 0, and of the byte 1
  auto operator<=>(const TwoValues&) const = default;
};

// A variable whose members or elements the compiler keeps apart.
struct VariableInParts {
  struct Part {
    uint64_t offset = 0, size = 0;  // bytes, in the variable
    FileAddr at;                    // where they are
    std::optional<TwoValues> two_values;
  };

  Variable variable;  // its range is empty
  std::vector<Part> parts;
};

struct Function {
  std::string name;  // linkage name
  std::string unit;  // for static functions; "" for global ones
  Range<FileAddr> range;
  TypeId type = 0;  // TypeKind::kFunction, 0 if unknown

  std::string Key() const;
};

// One dynamic relocation (R_X86_64_RELATIVE, GLOB_DAT, JUMP_SLOT, 64, COPY, IRELATIVE, …).
struct Relocation {
  FileAddr at;
  uint32_t type = 0;
  std::string symbol;  // "" if it has none
  FileAddr addend;     // RELATIVE: the file address that is stored there
};

struct DebugSearch {
  std::vector<std::string> debug_dirs;  // --debug-dir, tried after the usual places
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_RECORDS_H_
