#include "tracer/page_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mcr/base/address.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr::tracer {
namespace {

constexpr uint64_t kPage = 4096;

// Every byte of a page is the page's number.
class NumberedPages : public MemoryReader {
 public:
  Status Read(Addr from, std::span<std::byte> into) const override {
    ++reads;
    std::ranges::fill(into, static_cast<std::byte>(from.value() / kPage));
    return {};
  }
  mutable int reads = 0;
};

Mapping OfFile(uint64_t page, bool executable, bool writable = false) {
  Mapping mapping;
  mapping.range = *Range<Addr>::FromSize(Addr(page * kPage), kPage);
  mapping.readable = true;
  mapping.executable = executable;
  mapping.writable = writable;
  mapping.inode = 7;
  mapping.path = "/lib/library.so";
  return mapping;
}

uint8_t ByteAt(const PageCache& cache, uint64_t page) {
  return cache.ReadValue<uint8_t>(Addr(page * kPage + 5)).value();
}

TEST(PageCacheTest, APageIsReadOnce) {
  const NumberedPages memory;
  const Mappings mappings{OfFile(1, false, true)};
  FilePages file_pages;
  const PageCache cache(memory, mappings, file_pages);
  EXPECT_EQ(ByteAt(cache, 1), 1);
  EXPECT_EQ(ByteAt(cache, 1), 1);
  EXPECT_EQ(memory.reads, 1);
}

TEST(PageCacheTest, CodeIsTheSameWhereverItIs) {
  const NumberedPages memory;
  const Mappings here{OfFile(1, true)}, there{OfFile(2, true)};
  FilePages file_pages;
  EXPECT_EQ(ByteAt(PageCache(memory, here, file_pages), 1), 1);
  EXPECT_EQ(ByteAt(PageCache(memory, there, file_pages), 2), 1);
  EXPECT_EQ(memory.reads, 1);
}

// The last page of constants and the first of those that were relocated are one in the file.
TEST(PageCacheTest, WhatMayHaveBeenRelocatedIsTheSameOnlyAtTheSameAddress) {
  const NumberedPages memory;
  const Mappings twice{OfFile(1, false), OfFile(2, false)};
  FilePages file_pages;
  EXPECT_EQ(ByteAt(PageCache(memory, twice, file_pages), 1), 1);
  EXPECT_EQ(ByteAt(PageCache(memory, twice, file_pages), 2), 2);
  EXPECT_EQ(memory.reads, 2);
  EXPECT_EQ(ByteAt(PageCache(memory, twice, file_pages), 1), 1);
  EXPECT_EQ(memory.reads, 2);
}

TEST(PageCacheTest, WhatCanBeWrittenIsNotShared) {
  const NumberedPages memory;
  const Mappings mappings{OfFile(1, false, true)};
  FilePages file_pages;
  EXPECT_EQ(ByteAt(PageCache(memory, mappings, file_pages), 1), 1);
  EXPECT_EQ(ByteAt(PageCache(memory, mappings, file_pages), 1), 1);
  EXPECT_EQ(memory.reads, 2);
}

}  // namespace
}  // namespace mcr::tracer
