// Conservative scanning of all the memory of a process.
#ifndef MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_
#define MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/graph/scan_memo.h"
#include "mutator/graph/word_scanner.h"

namespace mcr::mutator {

// Whether the mapping holds memory of the process: not the kernel's, not unreadable.
bool IsScanned(const Mapping& mapping);

// The mappings of `image` that are scanned, without what lies in `excluded`: the kernel shows
// memory without a file as one mapping where it is adjacent, a library's zeros and others' alike.
Mappings ScannedOutside(const checkpoint::ProcessImage& image,
                        std::span<const Range<Addr>> excluded);

// The pointer guard of the process's main thread; of an image without registers (a dry run), one
// that demangles no word to a user address.
PointerGuard ReadPointerGuard(const checkpoint::ProcessImage& image);

// Every likely pointer into one of `targets` (sorted, disjoint) in the populated pages of one
// mapping, by address. `memo`, if there is one, of an earlier search of the process: what it knows
// is not searched again.
Result<std::vector<LikelyPointer>> ScanMapping(const checkpoint::ProcessImage& image,
                                               const Mapping& mapping,
                                               std::span<const Range<Addr>> targets,
                                               const PointerGuard& guard,
                                               const ScanMemo* memo = nullptr);

// Calls `visit` with the place of each aligned word in the populated pages of `range`, and the
// word. `memory`: of `image`.
template <typename Visit>
Status EachWord(const checkpoint::ProcessImage& image, const MemoryReader& memory,
                Range<Addr> range, const Visit& visit) {
  MCR_ASSIGN(const auto populated, image.PopulatedRanges(range));
  std::vector<std::byte> bytes;
  for (const Range<Addr>& part : populated) {
    bytes.resize(part.size());
    MCR_TRY(memory.Read(part.begin(), bytes));
    for (size_t at = 0; at + sizeof(uint64_t) <= bytes.size(); at += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, sizeof word);
      visit(part.begin() + at, word);
    }
  }
  return {};
}

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_GRAPH_MEMORY_SCAN_H_
