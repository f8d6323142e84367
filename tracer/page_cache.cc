#include "tracer/page_cache.h"

#include <algorithm>
#include <cstring>

namespace mcr::tracer {
namespace {

constexpr uint64_t kPageSize = sizeof(CachedPage);
constexpr size_t kMostPages = 4096;  // 16 MiB

Result<std::shared_ptr<const CachedPage>> ReadPage(const MemoryReader& memory, Addr page) {
  auto contents = std::make_shared<CachedPage>();
  MCR_TRY(memory.Read(page, *contents));
  return contents;
}

}  // namespace

Result<const CachedPage*> PageCache::Page(Addr page) const {
  if (pages_.size() >= kMostPages) pages_.clear();
  std::shared_ptr<const CachedPage>& known = pages_[page];
  if (known != nullptr) return known.get();
  const Mapping* mapping = FindMapping(mappings_, page);
  if (mapping != nullptr && mapping->IsFile() && !mapping->writable && !mapping->shared) {
    const uint64_t offset = mapping->file_offset + (page - mapping->range.begin());
    const FilePages::Key key{mapping->device, mapping->inode, offset,
                             mapping->executable ? Addr() : page};
    known = file_pages_.Find(key);
    if (known == nullptr) {
      MCR_ASSIGN(known, ReadPage(memory_, page));
      file_pages_.Keep(key, known);
    }
  } else {
    MCR_ASSIGN(known, ReadPage(memory_, page));
  }
  return known.get();
}

Status PageCache::Read(Addr from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const uint64_t offset = from.value() % kPageSize;
    const size_t size = std::min<uint64_t>(kPageSize - offset, into.size());
    MCR_ASSIGN(const CachedPage* const page, Page(from - offset));
    std::memcpy(into.data(), page->data() + offset, size);
    into = into.subspan(size);
    from = from + size;
  }
  return {};
}

}  // namespace mcr::tracer
