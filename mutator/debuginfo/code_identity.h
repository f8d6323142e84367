// Are two functions the same code, so that a frame of the one can go on in the other? Compared
// instruction by instruction after normalisation: a PC-relative or relocated operand counts as the
// thing that it names (function, variable + offset, constant's bytes, jump table's targets), not as
// the bytes that encode it. Padding and the lengths of jumps do not count, nor does the text of a
// literal whose address is taken: neither moves anything in the frame.
#ifndef MCR_MUTATOR_DEBUGINFO_CODE_IDENTITY_H_
#define MCR_MUTATOR_DEBUGINFO_CODE_IDENTITY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

// Where each instruction of an old function is in the new one, its split-off parts included.
class InstructionMap {
 public:
  using Pairs = std::vector<std::pair<FileAddr, FileAddr>>;

  InstructionMap(Pairs instructions, Pairs jump_tables);
  // Only starts and ends of instructions translate; a return address is the end of a call, and may
  // be the end of the function.
  std::optional<FileAddr> Translate(FileAddr old_instruction) const;

  // Those that the instructions take the address of: they have no name, and no equal bytes either.
  const Pairs& jump_tables() const { return jump_tables_; }

 private:
  Pairs pairs_;  // by old address
  Pairs jump_tables_;
};

class CodeComparer {
 public:
  static Result<std::unique_ptr<CodeComparer>> Create(std::shared_ptr<const Program> before,
                                                      std::shared_ptr<const Program> after);
  virtual ~CodeComparer() = default;

  // Fails if the functions differ; the error says where: "calls `a` where the new one calls `b`,
  // f+0x1c".
  virtual Result<InstructionMap> Compare(const Function& before, const Function& after) const = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_CODE_IDENTITY_H_
