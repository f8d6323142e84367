#include "mcr/base/memory_reader.h"

#include <algorithm>
#include <array>

namespace mcr {

Result<std::string> MemoryReader::ReadString(Addr from, size_t limit) const {
  // In pieces that end at multiples of their size, so that none reaches into an unmapped page.
  constexpr size_t kPiece = 64;
  std::string text;
  while (text.size() < limit) {
    std::array<std::byte, kPiece> piece;
    const Addr at = from + text.size();
    const size_t size = std::min(kPiece - at.value() % kPiece, limit - text.size());
    MCR_TRY(Read(at, std::span(piece).first(size)));
    const auto* begin = reinterpret_cast<const char*>(piece.data());
    const auto* end = std::find(begin, begin + size, '\0');
    text.append(begin, end);
    if (end != begin + size) return text;
  }
  return Fail("string has no end", Hex(from));
}

}  // namespace mcr
