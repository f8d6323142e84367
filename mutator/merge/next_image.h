// The rehearsal's writable program memory in the live process's terms: the model for the new
// program's memory. The same for all processes with one counterpart and one set of libraries, so it
// is made once, before the pause.
#ifndef MCR_MUTATOR_MERGE_NEXT_IMAGE_H_
#define MCR_MUTATOR_MERGE_NEXT_IMAGE_H_

#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mutator/debuginfo/program.h"
#include "mutator/merge/image_map.h"

namespace mcr::mutator {

// One writable segment.
struct NextPart {
  const Segment* segment = nullptr;
  Range<FileAddr> range;         // whole pages
  std::vector<std::byte> bytes;  // of `range`
  std::set<FileAddr> foreign;    // words that point into the rehearsal's own heap or stack

  std::span<std::byte> At(Range<FileAddr> wanted) {
    return std::span(bytes).subspan(wanted.begin() - range.begin(), wanted.size());
  }
  std::span<const std::byte> At(Range<FileAddr> wanted) const {
    return std::span(bytes).subspan(wanted.begin() - range.begin(), wanted.size());
  }
};

Result<std::vector<NextPart>> ReadNextParts(const Program& program,
                                            const checkpoint::ProcessImage& next, Addr next_bias,
                                            const ImageMap& next_to_live);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_NEXT_IMAGE_H_
