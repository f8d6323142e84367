#include "checkpoint/criu/image_file.h"

#include <cstring>
#include <optional>

namespace mcr::checkpoint {
namespace {

constexpr uint32_t kCommonMagic = 0x54564319;
constexpr uint32_t kServiceMagic = 0x55105940;

std::optional<uint32_t> TakeWord(std::string_view& bytes) {
  uint32_t word;
  if (bytes.size() < sizeof(word)) return std::nullopt;
  std::memcpy(&word, bytes.data(), sizeof(word));
  bytes.remove_prefix(sizeof(word));
  return word;
}

}  // namespace

std::string ImageName(const std::string& stem, uint64_t id) {
  return stem + "-" + std::to_string(id) + ".img";
}

Result<std::vector<std::string_view>> SplitImage(std::string_view bytes, ImageKind kind,
                                                 const std::string& name) {
  const auto container = TakeWord(bytes);
  const auto magic = TakeWord(bytes);
  const uint32_t expected = kind == ImageKind::kStats ? kServiceMagic : kCommonMagic;
  if (container != expected || magic != static_cast<uint32_t>(kind)) {
    return Fail("not a CRIU image of the expected kind", name);
  }
  std::vector<std::string_view> messages;
  while (!bytes.empty()) {
    const auto size = TakeWord(bytes);
    if (!size || *size > bytes.size()) return Fail("truncated CRIU image", name);
    messages.push_back(bytes.substr(0, *size));
    bytes.remove_prefix(*size);
  }
  return messages;
}

}  // namespace mcr::checkpoint
