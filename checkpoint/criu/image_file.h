// The container format of CRIU's images (https://criu.org/Images): two magic numbers, then
// messages, each after its size.
#ifndef MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_
#define MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
};

// The messages of `bytes`, still packed; `name` is for the error. Untrusted: sizes are checked.
Result<std::vector<std::string_view>> SplitImage(std::string_view bytes, ImageKind kind,
                                                 const std::string& name);

// Whether `packed` is a message of that type, with all that it needs.
template <class Message>
bool ParseMessage(std::string_view packed, Message& message) {
  return message.ParseFromArray(packed.data(), static_cast<int>(packed.size()));
}

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_IMAGE_FILE_H_
