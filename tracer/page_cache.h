// Memory read through a cache of pages: an unwinder reads the same few pages word by word.
#ifndef MCR_TRACER_PAGE_CACHE_H_
#define MCR_TRACER_PAGE_CACHE_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

using CachedPage = std::array<std::byte, 4096>;

// Pages of files that no process of a tree can write, by file and offset: kept from one process to
// the next, which has them at another address perhaps.
class FilePages {
 public:
  struct Key {
    uint64_t device;
    uint64_t inode;
    uint64_t offset;
    auto operator<=>(const Key&) const = default;
  };

  std::shared_ptr<const CachedPage>& At(const Key& key) { return pages_[key]; }

 private:
  std::map<Key, std::shared_ptr<const CachedPage>> pages_;
};

// For as long as the process does not run. Forgets what it has once that is a lot.
class PageCache : public MemoryReader {
 public:
  // All three must outlive the cache.
  PageCache(const MemoryReader& memory, const Mappings& mappings, FilePages& file_pages)
      : memory_(memory), mappings_(mappings), file_pages_(file_pages) {}

  Status Read(Addr from, std::span<std::byte> into) const override;

 private:
  Result<const CachedPage*> Page(Addr page) const;

  const MemoryReader& memory_;
  const Mappings& mappings_;
  FilePages& file_pages_;
  mutable std::unordered_map<Addr, std::shared_ptr<const CachedPage>> pages_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_PAGE_CACHE_H_
