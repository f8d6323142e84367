// The order in which every ProcessImage lists things, wherever it has them from.
#ifndef MCR_CHECKPOINT_IMAGE_ORDER_H_
#define MCR_CHECKPOINT_IMAGE_ORDER_H_

#include <algorithm>
#include <tuple>
#include <vector>

#include "checkpoint/process_image.h"

namespace mcr::checkpoint {

// The first one is the main thread's, and stays.
inline void PutInOrder(std::vector<ThreadImage>& threads) {
  if (!threads.empty())
    std::sort(threads.begin() + 1, threads.end(),
              [](auto& one, auto& other) { return one.tid < other.tid; });
}

inline void PutInOrder(std::vector<EpollEntry>& entries) {
  std::ranges::sort(entries, {}, [](const EpollEntry& entry) {
    return std::tuple(entry.epoll_fd, entry.fd, entry.data);
  });
}

inline void PutInOrder(std::vector<SignalStack>& stacks) {
  std::ranges::sort(stacks, {}, &SignalStack::tid);
}

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_IMAGE_ORDER_H_
