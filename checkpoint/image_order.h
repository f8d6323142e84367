// What every ProcessImage says in the same way, wherever it has it from.
#ifndef MCR_CHECKPOINT_IMAGE_ORDER_H_
#define MCR_CHECKPOINT_IMAGE_ORDER_H_

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
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

// An auxiliary vector (getauxval(3)) ends with its first AT_NULL, which CRIU leaves out.
inline void EndWithNull(std::vector<std::byte>& auxv) {
  size_t end = 0;
  for (; end + sizeof(Elf64_auxv_t) <= auxv.size(); end += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    std::memcpy(&entry, auxv.data() + end, sizeof entry);
    if (entry.a_type == AT_NULL) break;
  }
  auxv.resize(end);
  auxv.resize(end + sizeof(Elf64_auxv_t));
}

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_IMAGE_ORDER_H_
