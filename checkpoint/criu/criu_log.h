// What CRIU's log says.
#ifndef MCR_CHECKPOINT_CRIU_CRIU_LOG_H_
#define MCR_CHECKPOINT_CRIU_CRIU_LOG_H_

#include <cstddef>
#include <string>

namespace mcr::checkpoint {

// The line of the log that says why CRIU has failed; "" if there is none. The first error after
// `begin` is the cause of the others; what was complained about before that did not keep CRIU from
// going on.
std::string FindCriuError(const std::string& log, size_t begin);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_CRIU_LOG_H_
