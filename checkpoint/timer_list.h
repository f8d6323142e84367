// /proc/PID/timers (proc_pid_timers(5)).
#ifndef MCR_CHECKPOINT_TIMER_LIST_H_
#define MCR_CHECKPOINT_TIMER_LIST_H_

#include <string_view>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// By id.
Result<std::vector<Timer>> ParseTimers(std::string_view text);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_TIMER_LIST_H_
