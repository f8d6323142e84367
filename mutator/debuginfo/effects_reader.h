// Effects of instructions from LLVM's descriptions of them.
#ifndef MCR_MUTATOR_DEBUGINFO_EFFECTS_READER_H_
#define MCR_MUTATOR_DEBUGINFO_EFFECTS_READER_H_

#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstrDesc.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcr/base/address.h"
#include "mutator/debuginfo/effects.h"

namespace mcr::mutator {

class EffectsReader {
 public:
  // Both outlive the reader.
  EffectsReader(const llvm::MCRegisterInfo& registers, const llvm::MCInstrInfo& instructions);

  // `end`: of the instruction. MemoryAccess::size is left to the caller.
  Effects Read(const llvm::MCInst& decoded, FileAddr end) const;

 private:
  struct Meaning {  // of an opcode
    Operation operation = Operation::kOther;
    int sign = 1;        // of its immediate
    bool fills = false;  // an immediate of 32 bits clears the upper half
  };

  void FindMeanings();
  void ReadFlow(const llvm::MCInst& decoded, const llvm::MCInstrDesc& description, FileAddr end,
                Effects& effects) const;
  void ReadOperands(const llvm::MCInst& decoded, const llvm::MCInstrDesc& description, FileAddr end,
                    Effects& effects) const;
  MemoryAccess ReadMemory(const llvm::MCInst& decoded, unsigned first, FileAddr end) const;
  void AddRegister(unsigned number, bool is_definition, Effects& effects) const;
  void ReadOperation(const llvm::MCInst& decoded, Effects& effects) const;
  static bool IsClearing(std::string_view name, const llvm::MCInst& decoded);

  const llvm::MCRegisterInfo& registers_;
  const llvm::MCInstrInfo& instructions_;
  std::vector<int> general_;      // by LLVM's number; kNoRegister: no part of a general register
  std::vector<bool> is_partial_;  // 8 or 16 bits: what is not written stays
  std::unordered_map<unsigned, Meaning> meanings_;
  unsigned rip_ = 0;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_EFFECTS_READER_H_
