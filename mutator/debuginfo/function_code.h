// A function's instructions: its main part and the parts that the compiler moved away ("f.cold").
#ifndef MCR_MUTATOR_DEBUGINFO_FUNCTION_CODE_H_
#define MCR_MUTATOR_DEBUGINFO_FUNCTION_CODE_H_

#include <compare>
#include <cstddef>
#include <optional>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/program.h"

namespace mcr::mutator {

class FunctionCode {
 public:
  struct Part {
    const Function* function = nullptr;
    std::vector<Instruction> instructions;  // without padding
  };
  // Which instruction, whatever the lengths of those before it.
  struct Position {
    size_t part = 0;
    size_t instruction = 0;
    auto operator<=>(const Position&) const = default;
  };

  // Fails if some of it is not code. `program` must outlive the result.
  static Result<FunctionCode> Read(const Program& program, const Disassembler& disassembler,
                                   const Function& function);

  const std::vector<Part>& parts() const { return parts_; }

  // Of an address in the function: an instruction's, or that of the padding before it.
  std::optional<Position> Find(FileAddr at) const;

  // If a self-relative jump table of this function stands at `table`: where its entries lead. It
  // ends where the next object begins that the function refers to, or with the last entry that
  // leads into the function.
  std::vector<Position> ReadJumpTable(FileAddr table) const;

 private:
  explicit FunctionCode(const Program& program) : program_(&program) {}

  Status AddPart(const Disassembler& disassembler, const Function& function);
  void FindMovedParts(std::vector<const Function*>& parts) const;

  const Program* program_;
  std::vector<Part> parts_;           // in the order in which the code refers to them
  std::vector<FileAddr> references_;  // to data, sorted
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_FUNCTION_CODE_H_
