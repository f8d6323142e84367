// Memory read through a cache of pages: an unwinder reads the same few pages word by word.
#ifndef MCR_TRACER_PAGE_CACHE_H_
#define MCR_TRACER_PAGE_CACHE_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <utility>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

using CachedPage = std::array<std::byte, 4096>;

// Pages of files that no process of a tree can write, kept from one process to the next. Code may
// be at another address there. What is only read from may have been relocated before it was made
// read-only, and so is the same only at the same address, which forks have in common. For several
// threads.
class FilePages {
 public:
  struct Key {
    uint64_t device;
    uint64_t inode;
    uint64_t offset;
    Addr at;  // null: wherever it is
    auto operator<=>(const Key&) const = default;
  };

  std::shared_ptr<const CachedPage> Find(const Key& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = pages_.find(key);
    return found == pages_.end() ? nullptr : found->second;
  }
  void Keep(const Key& key, std::shared_ptr<const CachedPage> page) {
    const std::lock_guard lock(mutex_);
    pages_.insert_or_assign(key, std::move(page));
  }

 private:
  mutable std::mutex mutex_;
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
