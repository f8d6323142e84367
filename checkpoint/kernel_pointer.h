// What the kernel holds for a process and hands back: how each image says it, in the same words.
#ifndef MCR_CHECKPOINT_KERNEL_POINTER_H_
#define MCR_CHECKPOINT_KERNEL_POINTER_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

KernelPointer TimerValue(int timer, uint64_t value);
KernelPointer SignalStack(uint64_t begin);

// The values of the timers that /proc/PID/timers lists (proc_pid_timers(5)).
Result<std::vector<KernelPointer>> ParseTimers(std::string_view text);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_KERNEL_POINTER_H_
