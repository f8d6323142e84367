// A place for the new program that is free in every process of the tree: shared memory holds
// pointers into it, so that it has to be at the same address in all of them.
#ifndef MCR_MUTATOR_MERGE_FREE_RANGE_H_
#define MCR_MUTATOR_MERGE_FREE_RANGE_H_

#include <cstdint>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

// New and old place differ by a multiple of this (bytes), so that the lower half of an address
// stays as it is when it is moved along with the program. Words that are half an old pointer's
// remains and half something else survive that.
inline constexpr uint64_t kPlaceStep = 1ull << 32;

// The highest free range of `size` bytes that ends below `limit`, begins a multiple of kPlaceStep
// away from `old_place`, and has unmapped space on both sides. Taking it from below the heap
// (`limit` = its start) leaves the heap room to grow, and finds the former place again at the next
// update instead of wandering off.
Result<Range<Addr>> FindFreeRange(std::span<const Mappings* const> processes, uint64_t size,
                                  Addr limit, Addr old_place);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_FREE_RANGE_H_
