// Work on several processors at once, for the time in which the server stands still.
#ifndef MCR_TRACER_SYS_PARALLEL_H_
#define MCR_TRACER_SYS_PARALLEL_H_

#include <sched.h>

#include <cstddef>
#include <functional>

#include "mcr/base/result.h"

namespace mcr::tracer {

// Calls each(0) … each(count - 1), in no order, on this thread and on one more for each of
// `others`; returns when all have been called, with the failure of the lowest number. No ptrace but
// on this thread. Not for the time in which tracees are to run: they would wait for a processor.
Status InParallel(size_t count, const cpu_set_t& others, const std::function<Status(size_t)>& each);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PARALLEL_H_
