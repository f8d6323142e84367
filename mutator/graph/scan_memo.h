// What a search of a process's memory for likely pointers found, kept while the process runs on:
// what has not been written to since need not be searched again. Pages without a likely pointer,
// nearly all of them, cost nothing to remember.
#ifndef MCR_MUTATOR_GRAPH_SCAN_MEMO_H_
#define MCR_MUTATOR_GRAPH_SCAN_MEMO_H_

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {

class ScanMemo {
 public:
  // Pages within a range that may have been written to since the memo's search began: sorted,
  // disjoint, page-aligned.
  using Written = std::function<Result<std::vector<Range<Addr>>>(Range<Addr>)>;

  // Searches `memory` (sorted, disjoint, page-aligned), which `written` speaks of, for pointers
  // into `targets`. The process may run meanwhile.
  static ScanMemo Create(const checkpoint::ProcessImage& image, std::vector<Range<Addr>> memory,
                         std::vector<Range<Addr>> targets, const PointerGuard& guard,
                         Written written);

  // Whether it is about pointers into the same targets.
  bool IsFor(std::span<const Range<Addr>> targets, const PointerGuard& guard) const;

  struct Memory {
    std::vector<LikelyPointer> known;    // in what was not written to since
    std::vector<Range<Addr>> to_search;  // everything else
  };
  // Of `range`. A word belongs to what is to be searched if it, or the byte before it, is partly
  // there.
  Result<Memory> Recall(Range<Addr> range) const;
  static bool IsPartlyIn(const LikelyPointer& pointer, Range<Addr> range);

 private:
  ScanMemo(std::vector<Range<Addr>> memory, std::vector<Range<Addr>> targets,
           const PointerGuard& guard, Written written)
      : memory_(std::move(memory)),
        targets_(std::move(targets)),
        guard_(guard),
        written_(std::move(written)) {}

  Status Search(const checkpoint::ProcessImage& image, Range<Addr> range);

  std::vector<Range<Addr>> memory_;
  std::vector<Range<Addr>> targets_;
  PointerGuard guard_;
  Written written_;
  std::vector<LikelyPointer> found_;  // by address
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_SCAN_MEMO_H_
