#include "mutator/graph/memory_scan.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "mutator/graph/memory_pieces.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);

// The C library keeps its pointer guard here in the thread control block
// (sysdeps/x86_64/nptl/tls.h).
constexpr uint64_t kPointerGuard = 0x30;

// What `memo` does not know of `range`, and what it does.
Status ScanChanged(const checkpoint::ProcessImage& image, Range<Addr> range,
                   std::span<const Range<Addr>> targets, const PointerGuard& guard,
                   const ScanMemo& memo, std::vector<LikelyPointer>& into) {
  MCR_ASSIGN(ScanMemo::Memory memory, memo.Recall(range));
  std::vector<LikelyPointer>& pointers = memory.known;
  for (const Range<Addr>& changed : memory.to_search) {
    // Words that reach across its edges, and the byte before.
    const Addr begin = std::max(range.begin(), changed.begin() - kWord);
    const Addr end = std::min(range.end(), changed.end() + kWord);
    std::vector<LikelyPointer> found;
    MCR_TRY(ScanPieces(image, *Range<Addr>::FromTo(begin, end), targets, guard, found));
    std::ranges::copy_if(found, std::back_inserter(pointers), [&](const LikelyPointer& pointer) {
      return ScanMemo::IsPartlyIn(pointer, changed);
    });
  }
  std::ranges::sort(pointers, {}, &LikelyPointer::at);
  std::ranges::copy(pointers, std::back_inserter(into));
  return {};
}

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
                                               const PointerGuard& guard, const ScanMemo* memo) {
  const bool recalls = memo != nullptr && memo->IsFor(targets, guard);
  MCR_ASSIGN(const auto populated, image.PopulatedRanges(mapping.range));
  std::vector<LikelyPointer> pointers;
  for (const Range<Addr>& range : populated) {
    if (recalls) {
      MCR_TRY(ScanChanged(image, range, targets, guard, *memo, pointers));
    } else {
      MCR_TRY(ScanPieces(image, range, targets, guard, pointers));
    }
  }
  return pointers;
}

}  // namespace mcr::mutator
