// What an address in a program means, in words that another version of the program has for it, too.
#ifndef MCR_MUTATOR_DEBUGINFO_REFERENT_H_
#define MCR_MUTATOR_DEBUGINFO_REFERENT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "mcr/base/address.h"
#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class ReferentNamer {
 public:
  // Both must outlive the namer.
  ReferentNamer(const Program& program, const Disassembler& disassembler)
      : program_(program), disassembler_(disassembler) {}

  // What the instruction's operand refers to: "function `f`", "variable `v`+0x8", "import
  // `malloc`", "constant 00…". Equal names mean equal things. nullopt if nothing is known about the
  // place: then nothing can be said.
  std::optional<std::string> Name(const Instruction& instruction) const;

 private:
  std::optional<std::string> NameCode(FileAddr at) const;
  std::optional<std::string> NameData(FileAddr at, const Instruction& instruction) const;
  std::optional<std::string> NameImport(FileAddr entry) const;
  const Relocation* FindRelocation(FileAddr at) const;
  std::optional<std::string> NameImportSlot(FileAddr at) const;
  std::optional<std::string> NameSlot(FileAddr at, int depth) const;
  std::optional<std::string> NamePlace(FileAddr at) const;
  std::optional<std::string> NameContents(FileAddr at, uint64_t size) const;
  std::optional<std::string> NameSymbol(FileAddr at) const;
  std::string NameVariable(const Variable& variable, FileAddr at) const;

  const Program& program_;
  const Disassembler& disassembler_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_REFERENT_H_
