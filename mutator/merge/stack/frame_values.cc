#include "mutator/merge/stack/frame_values.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace mcr::mutator {

Result<uint64_t> RegisterIn(const checkpoint::StackFrame& frame,
                            const checkpoint::ProcessImage& image,
                            const user_regs_struct& registers, int number) {
  for (size_t i = 0; i < kSavedRegisters.size(); ++i) {
    if (kSavedRegisters[i].number != number) continue;
    if (frame.saved[i].IsNull()) return uint64_t{registers.*kSavedRegisters[i].field};
    return image.ReadValue<uint64_t>(frame.saved[i]);
  }
  return Fail("a register whose value nobody kept",
              std::string(kRegisterNames[static_cast<size_t>(number)]));
}

Addr SavedAt(const checkpoint::StackFrame& frame, int number) {
  const auto found = std::ranges::find(kSavedRegisters, number, &SavedRegister::number);
  return found == kSavedRegisters.end()
             ? Addr()
             : frame.saved[static_cast<size_t>(found - kSavedRegisters.begin())];
}

Result<std::vector<std::byte>> ReadPieces(const ActiveFrame& active,
                                          const checkpoint::ProcessImage& image,
                                          const std::vector<Location>& pieces, uint64_t size) {
  std::vector<std::byte> bytes;
  for (const Location& piece : pieces) {
    std::vector<std::byte> part(piece.size == 0 ? size : piece.size);
    uint64_t value = 0;
    if (piece.register_number != kNoRegister) {
      MCR_ASSIGN(value, RegisterIn(active.frame, image, active.registers, piece.register_number));
    }
    const uint64_t base = active.end.value();
    const auto offset = static_cast<uint64_t>(piece.offset);
    switch (piece.kind) {
      case Location::Kind::kFrame:
        MCR_TRY(image.Read(Addr(base + offset), part));
        break;
      case Location::Kind::kRegisterMemory:
        MCR_TRY(image.Read(Addr(value + offset), part));
        break;
      default:
        value += offset;
        if (piece.kind == Location::Kind::kFrameAddress) value += base;
        std::memcpy(part.data(), &value, std::min<uint64_t>(part.size(), sizeof value));
    }
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace mcr::mutator
