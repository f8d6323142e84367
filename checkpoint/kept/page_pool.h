// Pages of several process images, each contents once: processes of a tree, and rehearsals of it,
// have most of them in common.
#ifndef MCR_CHECKPOINT_KEPT_PAGE_POOL_H_
#define MCR_CHECKPOINT_KEPT_PAGE_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "checkpoint/criu/image_directory.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

inline constexpr uint64_t kKeptPageSize = 4096;
inline constexpr uint32_t kZeroPage = 0;  // the number of a page of zeros

class PagePool {
 public:
  // `page`: kKeptPageSize bytes. Returns its number.
  uint32_t Add(std::span<const std::byte> page);
  Status Write(const ImageDirectory& directory) const;

 private:
  std::deque<std::string> pages_;  // number 1 on; stay where they are
  std::unordered_map<std::string_view, uint32_t> numbers_;
};

// What a pool has written.
class KeptPages {
 public:
  static Result<std::shared_ptr<const KeptPages>> Open(const ImageDirectory& directory);
  // `into` lies within one page, from `offset` on.
  Status Read(uint32_t number, uint64_t offset, std::span<std::byte> into) const;

 private:
  explicit KeptPages(OwnedFd file) : file_(std::move(file)) {}

  OwnedFd file_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_KEPT_PAGE_POOL_H_
