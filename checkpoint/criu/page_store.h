// The pages of one address space, or of one piece of shared memory, in a checkpoint: a pagemap
// image that says which, and a pages image that holds them one after the other.
#ifndef MCR_CHECKPOINT_CRIU_PAGE_STORE_H_
#define MCR_CHECKPOINT_CRIU_PAGE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/criu/image_directory.h"
#include "mcr/base/address.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class PageStore {
 public:
  static constexpr uint64_t kPageSize = 4096;

  // `pagemap`: name of the image. In that of shared memory, addresses are offsets.
  static Result<PageStore> Open(const ImageDirectory& directory, const std::string& pagemap);

  // Whether the page at `page` is there; the rest of the address space is zeros, or a file's.
  bool Has(Addr page) const { return Find(page) != nullptr; }

  // `into` lies within one page, which is there.
  Status Read(Addr from, std::span<std::byte> into) const;

  // Those parts of `range` that are there; sorted.
  std::vector<Range<Addr>> Present(Range<Addr> range) const;

 private:
  struct Run {
    Range<Addr> range;
    uint64_t file_offset;
  };

  PageStore(OwnedFd pages, std::string name) : pages_(std::move(pages)), name_(std::move(name)) {}

  const Run* Find(Addr address) const;

  OwnedFd pages_;
  std::string name_;
  std::map<Addr, Run> runs_;  // by begin; not overlapping
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_PAGE_STORE_H_
