// For one variable that nobody has touched since the old version's start: may it take what the new
// version's start gave it?
//
// That is what a three-way merge does (DESIGN §2), but the two rehearsals are two processes, and a
// value may speak of something that is only in its own: memory that start-up allocated, a
// descriptor, a PID, the size of a buffer. Such a value stays with what it speaks of.
#ifndef MCR_MUTATOR_MERGE_START_VALUES_H_
#define MCR_MUTATOR_MERGE_START_VALUES_H_

#include <cstddef>
#include <span>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mutator/merge/base.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/image_map.h"

namespace mcr::mutator {

// Whether both starts allocated as many blocks of the same sizes, and mapped as much memory. If
// not, a number that differs may be a size or a count that belongs to what was allocated.
bool SameAllocations(const checkpoint::ProcessImage& base, const checkpoint::ProcessImage& next);

class StartValues {
 public:
  struct Context {
    const Base& base;
    const ImageMap& next_to_live;
    const ChangedModules& modules;
    bool same_allocations = false;
  };
  explicit StartValues(const Context& context) : context_(context) {}

  // `base` and `next` are of one size, in the live process's terms; `at` says how they are aligned.
  bool MayExchange(std::span<const std::byte> base, std::span<const std::byte> next,
                   FileAddr at) const;

 private:
  bool IsInNew(uint64_t word) const;
  bool IsStray(std::span<const std::byte> next, size_t offset, FileAddr at) const;
  bool MayExchangeNumber(uint32_t base, uint32_t next) const;

  Context context_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_START_VALUES_H_
