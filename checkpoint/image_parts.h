// What every image holds of a process; where its memory is, is each one's own matter.
#ifndef MCR_CHECKPOINT_IMAGE_PARTS_H_
#define MCR_CHECKPOINT_IMAGE_PARTS_H_

#include <sys/types.h>

#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/mapping.h"

namespace mcr::checkpoint {

class ImageParts : public ProcessImage {
 public:
  pid_t pid() const override { return pid_; }
  pid_t parent() const override { return parent_; }
  const Mappings& mappings() const override { return mappings_; }
  const std::vector<ThreadImage>& threads() const override { return threads_; }
  const std::vector<SignalHandler>& signal_handlers() const override { return signal_handlers_; }
  const std::vector<EpollEntry>& epoll_entries() const override { return epoll_entries_; }
  const std::vector<Timer>& timers() const override { return timers_; }
  const std::vector<SignalStack>& signal_stacks() const override { return signal_stacks_; }
  const MemoryLayout& layout() const override { return layout_; }

 protected:
  ImageParts(pid_t pid, pid_t parent) : pid_(pid), parent_(parent) {}

  pid_t pid_;
  pid_t parent_;
  Mappings mappings_;
  std::vector<ThreadImage> threads_;
  std::vector<SignalHandler> signal_handlers_;
  std::vector<EpollEntry> epoll_entries_;
  std::vector<Timer> timers_;
  std::vector<SignalStack> signal_stacks_;
  MemoryLayout layout_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_IMAGE_PARTS_H_
