// A call stack as the names of the program's functions, and which of several it is most like.
#ifndef MCR_UPDATE_STACK_NAMES_H_
#define MCR_UPDATE_STACK_NAMES_H_

#include <string>
#include <vector>

namespace mcr::update {

using StackNames = std::vector<std::string>;  // innermost first

// Index of the candidate that shares the most innermost functions with `wanted`, the first of
// equals; 0 if none does.
size_t MostAlike(const StackNames& wanted, const std::vector<StackNames>& candidates);

}  // namespace mcr::update

#endif  // MCR_UPDATE_STACK_NAMES_H_
