// Where the criu program is.
#ifndef MCR_UPDATE_CRIU_PROGRAM_H_
#define MCR_UPDATE_CRIU_PROGRAM_H_

#include <string>

#include "mcr/base/result.h"

namespace mcr::update {

// `wanted` if it is not empty; else $MCR_CRIU; else the one that third_party/criu/build made, in
// the cache directory; else the one in $PATH. Fails if there is none, or if it cannot be executed.
Result<std::string> FindCriu(const std::string& wanted);

}  // namespace mcr::update

#endif  // MCR_UPDATE_CRIU_PROGRAM_H_
