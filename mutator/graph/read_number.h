// An integer of any size in a process's memory.
#ifndef MCR_MUTATOR_GRAPH_READ_NUMBER_H_
#define MCR_MUTATOR_GRAPH_READ_NUMBER_H_

#include <cstdint>
#include <optional>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"

namespace mcr::mutator {

// Of `size` bytes, without a sign. nullopt: those are more than 8, or cannot be read.
inline std::optional<uint64_t> ReadNumber(const MemoryReader& memory, Addr at, uint64_t size) {
  uint64_t value = 0;
  if (size > sizeof value) return std::nullopt;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1)).first(size);
  return memory.Read(at, bytes) ? std::optional(value) : std::nullopt;
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_READ_NUMBER_H_
