// Reads of things that follow each other in memory, few bytes each: one read of the process for
// many of them, into the same few pages of ours. The nearer to each other they turn out to be, the
// more is read at once: whole pages, never the few bytes that an image keeps a cache for, so that
// several threads may read ahead in one image.
#ifndef MCR_MUTATOR_VALIDATE_READ_AHEAD_H_
#define MCR_MUTATOR_VALIDATE_READ_AHEAD_H_

#include <cstddef>
#include <span>
#include <vector>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

// For one thread.
class ReadAhead : public MemoryReader {
 public:
  // `memory` outlives this, and does not change meanwhile.
  explicit ReadAhead(const MemoryReader& memory) : memory_(memory) {}

  Status Read(Addr from, std::span<std::byte> into) const override;

 private:
  bool Holds(Addr from, size_t size) const;
  Status Fetch(Addr from, size_t size) const;

  const MemoryReader& memory_;
  mutable Addr begin_;
  mutable std::vector<std::byte> bytes_;  // from `begin_` on
  mutable size_t window_ = 0;             // bytes that were to be read last time
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_READ_AHEAD_H_
