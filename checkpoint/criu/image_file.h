// The container format of CRIU's images (https://criu.org/Images): two magic numbers, then
// messages, each after its size.
#ifndef MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_
#define MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/criu/image_directory.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

enum class ImageKind : uint32_t {  // the second magic number
  kStats = 0x57093306,
  kPstree = 0x50273030,
  kCore = 0x55053847,
  kMm = 0x57492820,
  kPagemap = 0x56084025,
  kFiles = 0x56303138,
  kDescriptors = 0x56213732,
  kIds = 0x54432030,
  kMemoryFiles = 0x48453499,
};

// The messages of `bytes`, still packed; `name` is for the error. Untrusted: sizes are checked.
Result<std::vector<std::string_view>> SplitImage(std::string_view bytes, ImageKind kind,
                                                 const std::string& name);

// Whether `packed` is a message of that type, with all that it needs.
template <class Message>
bool ParseMessage(std::string_view packed, Message& message) {
  return message.ParseFromArray(packed.data(), static_cast<int>(packed.size()));
}

std::string ImageName(const std::string& stem, uint64_t id);  // "core-4711.img"

template <class Message>
Result<std::vector<Message>> ReadMessages(const ImageDirectory& directory, const std::string& name,
                                          ImageKind kind) {
  MCR_ASSIGN(const std::string image, directory.ReadFile(name));
  MCR_ASSIGN(const auto packed, SplitImage(image, kind, name));
  std::vector<Message> messages(packed.size());
  for (size_t i = 0; i < packed.size(); ++i) {
    if (!ParseMessage(packed[i], messages[i])) return Fail("damaged CRIU image", name);
  }
  return messages;
}

template <class Message>
Result<Message> ReadMessage(const ImageDirectory& directory, const std::string& name,
                            ImageKind kind) {
  MCR_ASSIGN(std::vector<Message> messages, ReadMessages<Message>(directory, name, kind));
  if (messages.empty()) return Fail("truncated CRIU image", name);
  return std::move(messages.front());
}

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_
