#ifndef MCR_MUTATOR_GRAPH_RED_ZONE_H_
#define MCR_MUTATOR_GRAPH_RED_ZONE_H_

#include <cstdint>

#include "mcr/base/address.h"

namespace mcr::mutator {

// Bytes below the stack pointer that a function may use without moving it (System V ABI for x86-64,
// 3.2.2).
inline constexpr uint64_t kRedZone = 128;

inline bool IsInRedZone(Addr at, Addr stack_pointer) {
  return at < stack_pointer && stack_pointer - at <= kRedZone;
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_RED_ZONE_H_
