// Which calls never come back: what follows them in memory does not follow them in time.
#ifndef MCR_MUTATOR_DEBUGINFO_ENDING_CALLS_H_
#define MCR_MUTATOR_DEBUGINFO_ENDING_CALLS_H_

#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/program.h"
#include "mutator/debuginfo/referent.h"

namespace mcr::mutator {

class EndingCalls {
 public:
  // All must outlive this.
  EndingCalls(const Program& program, const Disassembler& disassembler, const ReferentNamer& names)
      : program_(program), disassembler_(disassembler), names_(names) {}

  // True only for certain: a function of the C library that is declared so, or one of the program
  // without an instruction that leaves it.
  bool NeverReturns(const Instruction& call) const;

 private:
  bool HasNoExit(const Function& function) const;

  const Program& program_;
  const Disassembler& disassembler_;
  const ReferentNamer& names_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_ENDING_CALLS_H_
