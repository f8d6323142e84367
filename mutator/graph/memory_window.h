// Words of a process's memory, for readers that hop forward through much of it: one read of the
// image answers for all that is near.
#ifndef MCR_MUTATOR_GRAPH_MEMORY_WINDOW_H_
#define MCR_MUTATOR_GRAPH_MEMORY_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"

namespace mcr::mutator {

class MemoryWindow {
 public:
  explicit MemoryWindow(const checkpoint::ProcessImage& image) : image_(image) {}

  // nullopt: not mapped, or not readable.
  std::optional<uint64_t> Word(Addr at) {
    if (!Holds(at) && !MoveTo(at)) return std::nullopt;
    uint64_t word;
    std::memcpy(&word, bytes_.data() + (at - range_.begin()), sizeof word);
    return word;
  }

 private:
  static constexpr uint64_t kSize = 256 << 10;  // bytes

  bool Holds(Addr at) const { return range_.Contains(at) && range_.end() - at >= sizeof(uint64_t); }

  bool MoveTo(Addr at) {
    range_ = {};
    const Mapping* mapping = FindMapping(image_.mappings(), at);
    if (mapping == nullptr || !mapping->readable) return false;
    const uint64_t size = std::min<uint64_t>(kSize, mapping->range.end() - at);
    bytes_.resize(size);
    if (size < sizeof(uint64_t) || !image_.Read(at, bytes_)) return false;
    range_ = *Range<Addr>::FromSize(at, size);
    return true;
  }

  const checkpoint::ProcessImage& image_;
  Range<Addr> range_;
  std::vector<std::byte> bytes_;  // of range_
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_MEMORY_WINDOW_H_
