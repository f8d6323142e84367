// The memory of a process as it was before a graft wrote to it.
//
// Old modules, and objects that move, stay where they are until commit; of everything else that is
// going to be overwritten, a copy is taken.
#ifndef MCR_MUTATOR_VALIDATE_BEFORE_MEMORY_H_
#define MCR_MUTATOR_VALIDATE_BEFORE_MEMORY_H_

#include <cstddef>
#include <span>
#include <vector>

#include "checkpoint/graft/memory_patch.h"
#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::mutator {

// A copy of what a graft is going to overwrite.
class Overwritten {
 public:
  // `live`: the process before the graft. What `patch`, which may be empty, has read of it already
  // is not read again.
  static Result<Overwritten> Copy(const checkpoint::ProcessGraft& graft,
                                  const checkpoint::MemoryPatch& patch, const MemoryReader& live);

  // What it holds, by address, disjoint.
  template <class Use>  // of a range and its bytes, which returns a Status
  Status ForEach(const Use& use) const {
    for (const Part& part : parts_) {
      MCR_TRY(use(part.range, std::span(bytes_).subspan(part.offset, part.range.size())));
    }
    return {};
  }
  bool Holds(Addr at) const;
  // Puts the copy over `bytes`, which were read from `from`.
  void PutOver(Addr from, std::span<std::byte> bytes) const;

 private:
  struct Part {
    Range<Addr> range;
    size_t offset = 0;  // into bytes_
  };
  std::vector<Part>::const_iterator FirstBehind(Addr at) const;

  std::vector<Part> parts_;  // by address, disjoint
  std::vector<std::byte> bytes_;
};

class BeforeMemory : public MemoryReader {
 public:
  // Both outlive this. `after`: the process as it is now.
  BeforeMemory(const MemoryReader& after, const Overwritten& overwritten)
      : after_(after), overwritten_(overwritten) {}

  Status Read(Addr from, std::span<std::byte> into) const override;

 private:
  const MemoryReader& after_;
  const Overwritten& overwritten_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_VALIDATE_BEFORE_MEMORY_H_
