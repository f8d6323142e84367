// The heap of a rehearsed process, and which of its allocations a path has led to.
#ifndef MCR_MUTATOR_MERGE_REHEARSED_HEAP_H_
#define MCR_MUTATOR_MERGE_REHEARSED_HEAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mutator/graph/heap_chunks.h"
#include "mutator/graph/snapshot.h"

namespace mcr::mutator {

class RehearsedHeap {
 public:
  // `image` outlives this. `bias`: of the module whose types change. `chunks`: as WalkHeap returns
  // them.
  RehearsedHeap(const checkpoint::ProcessImage& image, Addr bias, std::vector<HeapChunk> chunks)
      : memory_(image), bias_(bias), chunks_(std::move(chunks)), reached_(chunks_.size()) {}

  const Snapshot& memory() const { return memory_; }
  Addr bias() const { return bias_; }
  const std::vector<HeapChunk>& chunks() const { return chunks_; }

  const HeapChunk* ChunkAt(uint64_t word) const {
    const HeapChunk* chunk = FindChunk(chunks_, Addr(word));
    return chunk == nullptr || !chunk->in_use ? nullptr : chunk;
  }
  bool IsPointer(uint64_t word) const {
    return FindMapping(memory_.image().mappings(), Addr(word)) != nullptr;
  }
  // True if a path has led there already.
  bool Reach(const HeapChunk& chunk) {
    const auto index = static_cast<size_t>(&chunk - chunks_.data());
    const bool known = reached_[index];
    reached_[index] = true;
    return known;
  }

 private:
  Snapshot memory_;
  Addr bias_;
  std::vector<HeapChunk> chunks_;
  std::vector<bool> reached_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_REHEARSED_HEAP_H_
