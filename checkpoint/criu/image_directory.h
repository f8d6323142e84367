// Where a checkpoint lives: a tmpfs of its own that is mounted nowhere, so that nobody else can
// reach it by a path and nothing of it is left when the last descriptor is closed. A server's
// memory holds keys.
#ifndef MCR_CHECKPOINT_CRIU_IMAGE_DIRECTORY_H_
#define MCR_CHECKPOINT_CRIU_IMAGE_DIRECTORY_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class ImageDirectory {
 public:
  // fsopen(2), fsmount(2): a detached mount, mode 0700.
  static Result<ImageDirectory> CreatePrivate();
  // A directory that exists: a kept checkpoint.
  static Result<ImageDirectory> Open(const std::string& path);

  int fd() const { return fd_.get(); }

  Result<std::vector<std::string>> Names() const;
  // A whole file. Fails for one that is larger than `limit` bytes.
  Result<std::string> ReadFile(const std::string& name, size_t limit = 64 << 20) const;
  Result<OwnedFd> OpenFile(const std::string& name) const;
  // Readable by its owner alone.
  Status WriteFile(const std::string& name, std::string_view bytes) const;

 private:
  explicit ImageDirectory(OwnedFd fd) : fd_(std::move(fd)) {}

  OwnedFd fd_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_IMAGE_DIRECTORY_H_
