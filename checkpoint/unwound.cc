#include "checkpoint/unwound.h"

#include <algorithm>

namespace mcr::checkpoint {

void SetStack(pid_t tid, const std::vector<tracer::Frame>& stack,
              std::vector<ThreadImage>& threads) {
  const auto thread = std::ranges::find(threads, tid, &ThreadImage::tid);
  if (thread == threads.end()) return;
  thread->return_slots.clear();
  thread->frames.clear();
  for (const tracer::Frame& frame : stack) {
    if (!frame.return_slot.IsNull()) thread->return_slots.push_back(frame.return_slot);
    thread->frames.push_back({frame.instruction, frame.stack_pointer, frame.saved});
  }
  std::ranges::sort(thread->return_slots);
}

}  // namespace mcr::checkpoint
