// The calls that a function makes, and which of them are the same in two versions of it.
#ifndef MCR_MUTATOR_DEBUGINFO_CALL_SITES_H_
#define MCR_MUTATOR_DEBUGINFO_CALL_SITES_H_

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/disassembler.h"
#include "mutator/debuginfo/frame_variables.h"
#include "mutator/debuginfo/function_code.h"
#include "mutator/debuginfo/program.h"
#include "mutator/debuginfo/referent.h"

namespace mcr::mutator {

// A call as the source has it. Compilers may make several instructions of one.
struct CallSite {
  SourcePlace place;
  std::string callee;  // "function `f`", "import `malloc`", "a function pointer"
  std::vector<FileAddr> returns;
};

// In the order of the source.
std::vector<CallSite> ListCalls(const FunctionCode& code, const Disassembler& disassembler,
                                const Program& program, const ReferentNamer& names,
                                const FrameVariables& lines);

// The call of `after` that is the one of `before` that returns to `old_return`: its partner in
// every best alignment of the two sequences of callees. Fails if there is none, or more than one.
Result<FileAddr> FindSameCall(const std::vector<CallSite>& before, FileAddr old_return,
                              const std::vector<CallSite>& after);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_CALL_SITES_H_
