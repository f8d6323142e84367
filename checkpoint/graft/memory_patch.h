// The memory writes of a graft, gathered into few large ones, with what was there before.
#ifndef MCR_CHECKPOINT_GRAFT_MEMORY_PATCH_H_
#define MCR_CHECKPOINT_GRAFT_MEMORY_PATCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/address.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// A span is what is written by one system call: entries on one page, or that follow each other
// without a gap. The bytes between them are rewritten as they are, which nobody can see while every
// process of the tree is stopped.
class MemoryPatch {
 public:
  // Reads the present bytes. Entries may overlap: the later one wins. Spans within `fresh` (what
  // the graft itself is going to map) are neither read nor saved.
  // How many bytes of memory that is there now a patch of these writes goes over.
  static size_t CountOverwritten(const WriteList& writes, std::span<const Range<Addr>> fresh);
  static Result<MemoryPatch> Prepare(const WriteList& writes, const MemoryReader& memory,
                                     std::span<const Range<Addr>> fresh);

  // Those of the patch's `writes` that go where memory is `now` as it was when the patch was
  // prepared: elsewhere somebody else has written, and what the write was about is gone.
  Result<WriteList> StillRight(const WriteList& writes, const MemoryReader& now) const;

  struct Span {
    Addr at;
    std::vector<std::byte> before;  // empty: not saved
    std::vector<std::byte> after;
  };
  const std::vector<Span>& spans() const { return spans_; }

 private:
  std::vector<Span> spans_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GRAFT_MEMORY_PATCH_H_
