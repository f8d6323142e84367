// Runs a program to its end.
#ifndef MCR_TRACER_SYS_RUN_H_
#define MCR_TRACER_SYS_RUN_H_

#include <string>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

// Without input and with its output thrown away. The exit status; 128 + the signal that killed it.
// `arguments[0]` is the program's path.
Result<int> RunQuietly(const std::vector<std::string>& arguments);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_RUN_H_
