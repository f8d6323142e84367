// What the DWARF of a file says about variables, functions and types.
#ifndef MCR_MUTATOR_DEBUGINFO_DWARF_READER_H_
#define MCR_MUTATOR_DEBUGINFO_DWARF_READER_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "mcr/base/result.h"
#include "mutator/debuginfo/elf_file.h"
#include "mutator/debuginfo/records.h"
#include "mutator/debuginfo/type_table.h"

namespace mcr::mutator {

struct DwarfVariable {
  Variable variable;  // range: as large as its type; unit: also for external ones
  bool external = false;
  uint64_t line = 0;  // of its declaration, 0 if unknown; tells namesakes in one function apart
};

struct DwarfVariableInParts {
  DwarfVariable whole;
  std::vector<VariableInParts::Part> parts;
};

struct DwarfFunction {
  Function function;  // name: the linkage name if there is one; unit: also for external ones
  bool external = false;
  std::vector<Range<FileAddr>> ranges;  // all parts, the one with the entry first
};

struct DwarfContents {
  TypeTable types;
  std::vector<DwarfVariable> variables;
  std::vector<DwarfVariable> scattered;  // of which no range is known
  std::vector<DwarfFunction> functions;
  // Types of external variables that units only declare, such as libc's `environ`.
  std::unordered_map<std::string, TypeId> declared;
  // Whose parts are among the variables, each under its own name: "cursor.at", "shapes[1]".
  std::vector<DwarfVariableInParts> in_parts;
};

// Whether `file` has .debug_info with contents.
bool HasDwarf(const ElfFile& file);

// Fails if LLVM finds anything wrong: half of the truth about types would be a guess.
Result<DwarfContents> ReadDwarf(const ElfFile& file);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_DWARF_READER_H_
