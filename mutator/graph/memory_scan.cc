#include "mutator/graph/memory_scan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mcr::mutator {
namespace {

// Read at once: what stays in the processor's cache, and does not have the kernel find fresh pages
// for the buffer each time. The pieces overlap by a word less one byte, so that none hides on a
// seam.
constexpr uint64_t kPiece = 64 << 10;
constexpr uint64_t kOverlap = sizeof(uint64_t) - 1;

// The C library keeps its pointer guard here in the thread control block
// (sysdeps/x86_64/nptl/tls.h).
constexpr uint64_t kPointerGuard = 0x30;

}  // namespace

bool IsScanned(const Mapping& mapping) {
  // [vdso], [vvar], [vvar_vclock], [vsyscall]
  return mapping.readable && !mapping.path.starts_with("[v");
}

Mappings ScannedOutside(const checkpoint::ProcessImage& image,
                        std::span<const Range<Addr>> excluded) {
  Mappings outside;
  const auto add = [&](Mapping mapping, Addr begin, Addr end) {
    if (!(begin < end)) return;
    mapping.file_offset += begin - mapping.range.begin();
    mapping.range = *Range<Addr>::FromTo(begin, end);
    outside.push_back(std::move(mapping));
  };
  for (const Mapping& mapping : image.mappings()) {
    if (!IsScanned(mapping)) continue;
    Addr begin = mapping.range.begin();
    for (const Range<Addr>& range : excluded) {
      if (!range.Overlaps(mapping.range)) continue;
      add(mapping, begin, range.begin());
      begin = range.end();
    }
    add(mapping, begin, mapping.range.end());
  }
  return outside;
}

PointerGuard ReadPointerGuard(const checkpoint::ProcessImage& image) {
  if (image.threads().empty()) return PointerGuard(0);
  // Of a running thread nothing is known, fs_base is 0, and the read fails.
  const Addr thread_control_block(image.threads().front().registers.fs_base);
  return PointerGuard(image.ReadValue<uint64_t>(thread_control_block + kPointerGuard).value_or(0));
}

Result<std::vector<LikelyPointer>> ScanMapping(const checkpoint::ProcessImage& image,
                                               const Mapping& mapping,
                                               std::span<const Range<Addr>> targets,
                                               const PointerGuard& guard) {
  MCR_ASSIGN(const auto populated, image.PopulatedRanges(mapping.range));
  std::vector<std::byte> bytes;
  std::vector<LikelyPointer> pointers;
  for (const Range<Addr>& range : populated) {
    for (Addr at = range.begin(); at < range.end(); at = at + kPiece) {
      bytes.resize(std::min(range.end() - at, kPiece + kOverlap));
      MCR_TRY(image.Read(at, bytes));
      ScanWords(bytes, at, targets, guard, pointers);
    }
  }
  return pointers;
}

}  // namespace mcr::mutator
