#include "mutator/debuginfo/llvm_error.h"

#include <utility>

namespace mcr::mutator {

std::string OneLine(llvm::Error error) {
  std::string line;
  for (const char c : llvm::toString(std::move(error))) {
    if (c == '\n') {
      line += "; ";
    } else {
      line += c;
    }
  }
  return line;
}

tl::unexpected<Error> FailLlvm(const std::string& what, llvm::Error error, std::string where) {
  return Fail(what + ": " + OneLine(std::move(error)), std::move(where));
}

}  // namespace mcr::mutator
