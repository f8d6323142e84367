#include "mutator/graph/memory_pieces.h"

#include <algorithm>
#include <cstddef>

namespace mcr::mutator {
namespace {

// Read at once: what stays in the processor's cache, and does not have the kernel find fresh pages
// for the buffer each time. The pieces overlap by a word less one byte, so that none hides on a
// seam.
constexpr uint64_t kPiece = 64 << 10;
constexpr uint64_t kOverlap = sizeof(uint64_t) - 1;

}  // namespace

Status ScanPieces(const checkpoint::ProcessImage& image, Range<Addr> range,
                  std::span<const Range<Addr>> targets, const PointerGuard& guard,
                  std::vector<LikelyPointer>& into) {
  std::vector<std::byte> bytes;
  for (Addr at = range.begin(); at < range.end(); at = at + kPiece) {
    bytes.resize(std::min(range.end() - at, kPiece + kOverlap));
    MCR_TRY(image.Read(at, bytes));
    ScanWords(bytes, at, targets, guard, into);
  }
  return {};
}

}  // namespace mcr::mutator
