// A checkpoint that outlives its update: CRIU's images in a directory that only root can look into,
// and beside them what else there is to keep of the update.
#ifndef MCR_CHECKPOINT_CRIU_KEPT_CHECKPOINT_H_
#define MCR_CHECKPOINT_CRIU_KEPT_CHECKPOINT_H_

#include <optional>
#include <string>
#include <utility>

#include "checkpoint/criu/image_directory.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class KeptCheckpoint {
 public:
  // Makes the directory, which must not exist: so that what can fail, fails before the pause.
  static Result<KeptCheckpoint> Create(const std::string& path);
  KeptCheckpoint(KeptCheckpoint&& other) noexcept
      : path_(std::move(other.path_)), directory_(std::exchange(other.directory_, std::nullopt)) {}
  KeptCheckpoint& operator=(KeptCheckpoint&&) = delete;
  ~KeptCheckpoint();  // removes it, with what is in it, unless it was filled

  // Until then.
  const ImageDirectory& directory() const { return *directory_; }

  // Copies the images. After the pause: the directory may be on a disk.
  Status Fill(const ImageDirectory& images);

 private:
  KeptCheckpoint(std::string path, ImageDirectory directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  std::optional<ImageDirectory> directory_;  // nullopt: filled, or moved from
};

// Brings its processes back, with the PIDs, descriptors and connections that they had. They must be
// gone. The error holds the line of CRIU's log that says why not.
Status RestoreCheckpoint(const std::string& criu, const std::string& path);
// The same from images that have not been kept.
Status RestoreImages(const std::string& criu, const ImageDirectory& images);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_KEPT_CHECKPOINT_H_
