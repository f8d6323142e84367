// LLVM's errors as ours: one line, whatever LLVM had to say.
#ifndef MCR_MUTATOR_DEBUGINFO_LLVM_ERROR_H_
#define MCR_MUTATOR_DEBUGINFO_LLVM_ERROR_H_

#include <llvm/Support/Error.h>

#include <string>

#include "mcr/base/result.h"

namespace mcr::mutator {

// Consumes the error. Line breaks become "; ".
std::string OneLine(llvm::Error error);

// "what: cause, where".
tl::unexpected<Error> FailLlvm(const std::string& what, llvm::Error error, std::string where);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_LLVM_ERROR_H_
