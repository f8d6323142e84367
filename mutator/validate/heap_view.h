// The allocator's blocks in the new state, looked up when somebody asks: most updates move nothing.
#ifndef MCR_MUTATOR_VALIDATE_HEAP_VIEW_H_
#define MCR_MUTATOR_VALIDATE_HEAP_VIEW_H_

#include <optional>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/graph/heap_chunks.h"

namespace mcr::mutator {

class HeapView {
 public:
  explicit HeapView(const checkpoint::ProcessImage& image) : image_(image) {}

  // Empty if the heap does not read as one.
  const std::vector<HeapChunk>& chunks() const {
    if (!chunks_) chunks_ = WalkHeap(image_).value_or(std::vector<HeapChunk>());
    return *chunks_;
  }
  const HeapChunk* Find(Addr at) const {
    // Who asks for many goes through them by address.
    if (last_ != nullptr && last_->payload.Contains(at)) return last_;
    if (last_ != nullptr && last_ != &chunks().back() && last_[1].payload.Contains(at)) {
      return ++last_;
    }
    const HeapChunk* found = FindChunk(chunks(), at);
    if (found != nullptr) last_ = found;
    return found;
  }

 private:
  const checkpoint::ProcessImage& image_;
  mutable std::optional<std::vector<HeapChunk>> chunks_;
  mutable const HeapChunk* last_ = nullptr;  // that was found
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_HEAP_VIEW_H_
