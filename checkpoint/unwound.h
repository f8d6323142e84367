// What an unwinder found out about a thread, as an image says it.
#ifndef MCR_CHECKPOINT_UNWOUND_H_
#define MCR_CHECKPOINT_UNWOUND_H_

#include <sys/types.h>

#include <vector>

#include "checkpoint/process_image.h"
#include "tracer/unwind.h"

namespace mcr::checkpoint {

// ThreadImage::frames and return_slots of the thread, if it is among `threads`.
void SetStack(pid_t tid, const std::vector<tracer::Frame>& stack,
              std::vector<ThreadImage>& threads);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_UNWOUND_H_
