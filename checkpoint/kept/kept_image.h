// A process image in a file: what a merge reads of a rehearsal (memory, threads, layout), so that
// it can be read again when the rehearsal is gone.
#ifndef MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_
#define MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/criu/image_directory.h"
#include "checkpoint/image_parts.h"
#include "checkpoint/kept/page_pool.h"
#include "checkpoint/process_image.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// What the kernel keeps for the process is left out. Its pages go to `pool`.
Status KeepImage(const ProcessImage& image, const ImageDirectory& directory,
                 const std::string& name, PagePool& pool);

class KeptImage : public ImageParts {
 public:
  static Result<std::unique_ptr<KeptImage>> Open(const ImageDirectory& directory,
                                                 const std::string& name,
                                                 std::shared_ptr<const KeptPages> pages);

  Status Read(Addr from, std::span<std::byte> into) const override;
  Result<std::vector<Range<Addr>>> PopulatedRanges(Range<Addr> range) const override;

 private:
  struct Memory {
    Range<Addr> range;
    std::vector<uint32_t> pages;
  };

  KeptImage(pid_t pid, pid_t parent, std::shared_ptr<const KeptPages> pages)
      : ImageParts(pid, parent), pages_(std::move(pages)) {}

  std::vector<Memory> memory_;          // by address
  std::vector<Range<Addr>> populated_;  // by mapping
  std::shared_ptr<const KeptPages> pages_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_KEPT_KEPT_IMAGE_H_
