#include "mutator/merge/initial_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace mcr::mutator {
namespace {

constexpr size_t kWord = sizeof(uint64_t);

bool AllZero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

bool InitialImage::MatchesFile(FileAddr at, std::span<const std::byte> now) const {
  const auto file = program_->Contents(at);
  const size_t in_file = std::min(file.size(), now.size());
  return std::ranges::equal(file.first(in_file), now.first(in_file)) &&
         AllZero(now.subspan(in_file));
}

bool InitialImage::IsUntouched(Range<FileAddr> range, std::span<const std::byte> now,
                               uint64_t bias) const {
  const auto& relocations = program_->relocations();
  auto relocation = std::ranges::lower_bound(relocations, range.begin(), {}, &Relocation::at);
  size_t compared = 0;
  for (; relocation != relocations.end() && relocation->at < range.end(); ++relocation) {
    const size_t at = relocation->at - range.begin();
    if (relocation->type != R_X86_64_RELATIVE || at + kWord > now.size()) return false;
    if (at < compared) continue;
    if (!MatchesFile(range.begin() + compared, now.subspan(compared, at - compared))) return false;
    uint64_t word;
    std::memcpy(&word, now.data() + at, kWord);
    if (word != bias + relocation->addend.value()) return false;
    compared = at + kWord;
  }
  return MatchesFile(range.begin() + compared, now.subspan(compared));
}

std::vector<std::byte> InitialImage::PlainValue(Range<FileAddr> range) const {
  const auto& relocations = program_->relocations();
  const auto first = std::ranges::lower_bound(relocations, range.begin(), {}, &Relocation::at);
  if (first != relocations.end() && first->at < range.end()) return {};
  std::vector<std::byte> value(range.size());
  const auto file = program_->Contents(range.begin());
  std::ranges::copy(file.first(std::min(file.size(), value.size())), value.begin());
  return value;
}

}  // namespace mcr::mutator
