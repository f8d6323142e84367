// The memory of an image, each block of it read once: tracing looks at many small objects.
#ifndef MCR_MUTATOR_GRAPH_SNAPSHOT_H_
#define MCR_MUTATOR_GRAPH_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

class Snapshot : public MemoryReader {
 public:
  // `image` outlives the snapshot, and does not change while it is used.
  explicit Snapshot(const checkpoint::ProcessImage& image) : image_(image) {}

  Status Read(Addr from, std::span<std::byte> into) const override;

  const checkpoint::ProcessImage& image() const { return image_; }

 private:
  const std::vector<std::byte>* BlockAt(uint64_t number) const;

  const checkpoint::ProcessImage& image_;
  // By block number. Empty: not readable as a whole, and so read piece by piece.
  mutable std::unordered_map<uint64_t, std::vector<std::byte>> blocks_;
  // The one that was looked at last: most reads follow another one nearby.
  mutable uint64_t last_number_ = ~uint64_t{0};
  mutable const std::vector<std::byte>* last_ = nullptr;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_SNAPSHOT_H_
