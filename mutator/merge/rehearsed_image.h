// A program's writable memory after its start, in the live process's terms: of the new program, the
// model for what the graft writes; of the old one, what a variable that nobody touched holds. The
// same for all processes with one counterpart and one set of libraries, so it is made once, before
// the pause.
#ifndef MCR_MUTATOR_MERGE_REHEARSED_IMAGE_H_
#define MCR_MUTATOR_MERGE_REHEARSED_IMAGE_H_

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
struct RehearsedPart {
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
  bool HasForeign(Range<FileAddr> wanted) const {
    const auto first = foreign.lower_bound(wanted.begin());
    return first != foreign.end() && *first < wanted.end();
  }
};

// `bias`: of `program` in `image`, a rehearsal of it.
Result<std::vector<RehearsedPart>> ReadRehearsed(const Program& program,
                                                 const checkpoint::ProcessImage& image, Addr bias,
                                                 const ImageMap& to_live);

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_MERGE_REHEARSED_IMAGE_H_
