#include "mutator/merge/initial_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace mcr::mutator {

std::span<const Relocation> InitialImage::RelocationsIn(Range<FileAddr> range) const {
  const auto& all = program_->relocations();
  const auto first = std::ranges::lower_bound(all, range.begin(), {}, &Relocation::at);
  const auto last = std::ranges::lower_bound(all, range.end(), {}, &Relocation::at);
  return {first, last};
}

std::vector<std::byte> InitialImage::FileBytes(Range<FileAddr> range) const {
  std::vector<std::byte> bytes(range.size());
  for (const Segment& segment : program_->segments()) {
    const auto in_file = Range<FileAddr>::FromSize(segment.range.begin(), segment.file_size);
    if (!in_file || !in_file->Overlaps(range)) continue;
    const auto part = in_file->Intersection(range);
    const auto file = program_->Contents(part.begin());
    std::ranges::copy(file.first(std::min<size_t>(file.size(), part.size())),
                      bytes.begin() + static_cast<ptrdiff_t>(part.begin() - range.begin()));
  }
  return bytes;
}

std::vector<std::byte> InitialImage::Bytes(Range<FileAddr> range, uint64_t bias) const {
  std::vector<std::byte> bytes = FileBytes(range);
  for (const Relocation& relocation : RelocationsIn(range)) {
    const uint64_t value = bias + relocation.addend.value();
    const size_t at = relocation.at - range.begin();
    if (relocation.type != R_X86_64_RELATIVE || at + sizeof value > bytes.size()) continue;
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  return bytes;
}

bool InitialImage::IsKnown(Range<FileAddr> range) const {
  return std::ranges::all_of(RelocationsIn(range), [&](const Relocation& relocation) {
    return relocation.type == R_X86_64_RELATIVE &&
           relocation.at - range.begin() + sizeof(uint64_t) <= range.size();
  });
}

std::vector<std::byte> InitialImage::PlainValue(Range<FileAddr> range) const {
  return RelocationsIn(range).empty() ? Bytes(range, 0) : std::vector<std::byte>();
}

}  // namespace mcr::mutator
