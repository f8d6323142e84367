#include "mutator/graph/heap_chunks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

using checkpoint::FakeImage;

constexpr uint64_t kHeap = 0x10000, kHeapSize = 0x4000;
constexpr uint64_t kData = 0x800000;         // a library's data
constexpr uint64_t kArena = kData + 0x100;   // malloc_state
constexpr uint64_t kThreadHeap = 0x8000000;  // 64 MiB aligned
constexpr uint64_t kInUse = 1;               // the previous chunk
constexpr uint64_t kNotMain = 4;

// Chunks one behind the other, as malloc lays them out. A size's lowest bit says whether the chunk
// before is in use.
void WriteChunks(FakeImage& image, uint64_t at, const std::vector<uint64_t>& sizes) {
  for (const uint64_t size : sizes) {
    image.WriteWord(Addr(at + 8), size);
    at += size & ~uint64_t{7};
  }
}

void WriteArena(FakeImage& image, uint64_t arena, uint64_t top) {
  image.WriteWord(Addr(arena + 96), top);
  for (uint64_t bin = arena + 112; bin < arena + 112 + 127 * 16; bin += 16) {
    image.WriteWord(Addr(bin), bin - 16).WriteWord(Addr(bin + 8), bin - 16);
  }
}

Mapping LibraryData() {
  Mapping mapping;
  mapping.range = *Range<Addr>::FromSize(Addr(kData), 0x2000);
  mapping.readable = mapping.writable = true;
  mapping.inode = 7;
  mapping.path = "/lib/libc.so.6";
  return mapping;
}

FakeImage WithHeap(const std::vector<uint64_t>& sizes) {
  FakeImage image;
  image.MapAnonymous(Addr(kHeap), kHeapSize, "[heap]");
  checkpoint::MemoryLayout layout;
  layout.start_brk = Addr(kHeap);
  layout.brk = Addr(kHeap + kHeapSize);
  image.SetLayout(layout);
  WriteChunks(image, kHeap, sizes);
  return image;
}

HeapChunk Used(uint64_t chunk, uint64_t size) {
  return {*Range<Addr>::FromSize(Addr(chunk + 16), size - 8), true, false};
}
HeapChunk Free(uint64_t chunk, uint64_t size) {
  return {*Range<Addr>::FromSize(Addr(chunk + 16), size - 8), false, false};
}

// Of an arena, up to the end of its memory.
HeapChunk Rest(uint64_t chunk, uint64_t end) {
  return {*Range<Addr>::FromTo(Addr(chunk + 16), Addr(end)), false, false};
}

TEST(HeapChunks, ThoseOfTheMainArenaLeadToItsUnusedRest) {
  const FakeImage image =
      WithHeap({0x20 | kInUse, 0x50 | kInUse, 0x100, (kHeapSize - 0x170) | kInUse});
  EXPECT_EQ(WalkHeap(image).value(),
            (std::vector{Used(kHeap, 0x20), Free(kHeap + 0x20, 0x50), Used(kHeap + 0x70, 0x100)}));
}

TEST(HeapChunks, ARegionThatDoesNotEndWhereItShouldHoldsNone) {
  EXPECT_TRUE(WalkHeap(WithHeap({0x20 | kInUse, 0x50 | kInUse, 0x108})).value().empty());
  EXPECT_TRUE(WalkHeap(WithHeap({0x20 | kInUse, kHeapSize | kInUse})).value().empty());
  EXPECT_TRUE(WalkHeap(WithHeap({0x20 | kInUse, 0})).value().empty());
  EXPECT_TRUE(WalkHeap(WithHeap({})).value().empty());
  EXPECT_TRUE(WalkHeap(FakeImage()).value().empty());
}

TEST(HeapChunks, TheArenaSaysWhereTheRestBegins) {
  // By the sizes alone the rest would be one more chunk, and the end be missed.
  FakeImage image = WithHeap({0x20 | kInUse, 0x50 | kInUse, 0x100 | kInUse});
  EXPECT_TRUE(WalkHeap(image).value().empty());
  image.Map(LibraryData());
  WriteArena(image, kArena, kHeap + 0x70);
  EXPECT_EQ(WalkHeap(image).value(), (std::vector{Used(kHeap, 0x20), Used(kHeap + 0x20, 0x50),
                                                  Rest(kHeap + 0x70, kHeap + kHeapSize)}));
}

TEST(HeapChunks, TheProgramBreakMayBeInSeveralMappings) {
  FakeImage image = WithHeap({0x20 | kInUse, kHeapSize | kInUse});
  image.MapAnonymous(Addr(kHeap + kHeapSize), kHeapSize, "[heap]");
  checkpoint::MemoryLayout layout = image.layout();
  layout.brk = Addr(kHeap + 2 * kHeapSize);
  image.SetLayout(layout);
  WriteChunks(image, kHeap + 0x20 + kHeapSize, {0x40 | kInUse, 0x100 | kInUse});
  image.Map(LibraryData());
  WriteArena(image, kArena, kHeap + kHeapSize + 0x60);
  EXPECT_EQ(WalkHeap(image).value(),
            (std::vector{Used(kHeap, 0x20), Used(kHeap + 0x20, kHeapSize),
                         Used(kHeap + kHeapSize + 0x20, 0x40),
                         Rest(kHeap + kHeapSize + 0x60, kHeap + 2 * kHeapSize)}));
}

TEST(HeapChunks, WhatLiesInAFastBinIsFree) {
  FakeImage image = WithHeap({0x30 | kInUse, 0x30 | kInUse, 0x30 | kInUse, 0x100 | kInUse});
  image.Map(LibraryData());
  WriteArena(image, kArena, kHeap + 0x90);
  // Third chunk, then the first; links are mangled with the page number of where they are kept.
  image.WriteWord(Addr(kArena + 24), kHeap + 0x60);
  image.WriteWord(Addr(kHeap + 0x70), kHeap ^ ((kHeap + 0x70) >> 12));
  image.WriteWord(Addr(kHeap + 0x10), (kHeap + 0x10) >> 12);
  EXPECT_EQ(WalkHeap(image).value(),
            (std::vector{Free(kHeap, 0x30), Used(kHeap + 0x30, 0x30), Free(kHeap + 0x60, 0x30),
                         Rest(kHeap + 0x90, kHeap + kHeapSize)}));
  // A list that bites its tail ends nowhere: it is no list.
  image.WriteWord(Addr(kHeap + 0x10), (kHeap + 0x60) ^ ((kHeap + 0x10) >> 12));
  EXPECT_TRUE(WalkHeap(image).value()[0].in_use);
}

TEST(HeapChunks, WhatLiesInAThreadsCacheIsFree) {
  FakeImage image =
      WithHeap({0x290 | kInUse, 0x40 | kInUse, 0x40 | kInUse, (kHeapSize - 0x310) | kInUse});
  const uint64_t cache = kHeap + 16, list = 2;  // of chunks of 0x40 bytes
  image.WriteValue<uint16_t>(Addr(cache + 2 * list), 1);
  image.WriteWord(Addr(cache + 128 + 8 * list), kHeap + 0x2d0 + 16);
  image.WriteWord(Addr(kHeap + 0x2d0 + 16), (kHeap + 0x2d0 + 16) >> 12);
  const std::vector<HeapChunk> chunks = WalkHeap(image).value();
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_FALSE(chunks[0].in_use);  // the table itself
  EXPECT_TRUE(chunks[1].in_use);
  EXPECT_FALSE(chunks[2].in_use);

  // With one more counted than there are, it is some other object of that size.
  image.WriteValue<uint16_t>(Addr(cache + 2 * list), 2);
  EXPECT_TRUE(WalkHeap(image).value()[2].in_use);
}

TEST(HeapChunks, AThreadsArenaIsWalkedHeapByHeap) {
  FakeImage image;
  const uint64_t arena = kThreadHeap + 0x30, second = kThreadHeap + (64 << 20);
  const uint64_t first_chunk = kThreadHeap + 0x8d0, top = second + 0x30 + 0x80;
  image.MapAnonymous(Addr(kThreadHeap), 0x2000).MapAnonymous(Addr(second), 0x1000);
  image.WriteWord(Addr(kThreadHeap), arena).WriteWord(Addr(kThreadHeap + 16), 0x2000);
  image.WriteWord(Addr(second), arena).WriteWord(Addr(second + 16), 0x1000);
  WriteArena(image, arena, top);
  const uint64_t rest = 0x2000 - 0x8d0 - 0x100 - 0x20;  // of the first heap, given up and free
  WriteChunks(image, first_chunk,
              {0x100 | kInUse | kNotMain, rest | kInUse | kNotMain, 0x10 | kNotMain, 0 | kInUse});
  WriteChunks(image, second + 0x30, {0x80 | kInUse | kNotMain, 0xf50 | kInUse | kNotMain});
  EXPECT_EQ(WalkHeap(image).value(),
            (std::vector{Used(first_chunk, 0x100), Free(first_chunk + 0x100, rest),
                         Used(second + 0x30, 0x80), Rest(top, second + 0x1000)}));
}

TEST(HeapChunks, LargeBlocksHaveMappingsOfTheirOwnWhichTheKernelMayJoin) {
  FakeImage image;
  image.MapAnonymous(Addr(0x7000000), 0x60000);
  image.WriteWord(Addr(0x7000008), 0x21002);
  image.WriteWord(Addr(0x7021008), 0x22002);
  image.WriteWord(Addr(0x7043008), 0x40002);  // would reach beyond the mapping
  image.WriteWord(Addr(0x7050000), 1).WriteWord(Addr(0x7050008), 0x1002);
  const std::vector<HeapChunk> chunks = WalkHeap(image).value();
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0], (HeapChunk{*Range<Addr>::FromSize(Addr(0x7000010), 0x20ff0), true, true}));
  EXPECT_EQ(chunks[1], (HeapChunk{*Range<Addr>::FromSize(Addr(0x7021010), 0x21ff0), true, true}));
}

TEST(HeapChunks, GarbageIsReadToItsEnd) {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 200; ++round) {
    FakeImage image = WithHeap({});
    image.Map(LibraryData());
    image.MapAnonymous(Addr(kThreadHeap), 0x4000);
    WriteArena(image, kArena, kHeap + (random() % 64) * 16);
    WriteArena(image, kThreadHeap + 0x30, kThreadHeap + 0x8d0 + (random() % 64) * 16);
    image.WriteWord(Addr(kThreadHeap), kThreadHeap + 0x30)
        .WriteWord(Addr(kThreadHeap + 16), 0x4000);
    for (int bin = 0; bin < 10; ++bin) {
      image.WriteWord(Addr(kArena + 16 + bin * 8), kHeap + random() % kHeapSize);
    }
    for (uint64_t at = 0; at < 0x1000; at += 8) {
      const uint64_t word = random() % 3 == 0 ? 0x20 | kInUse : random() % 0x300;
      image.WriteWord(Addr(kHeap + at), word).WriteWord(Addr(kThreadHeap + 0x8d0 + at), word);
    }
    const std::vector<HeapChunk> chunks = WalkHeap(image).value();
    for (const HeapChunk& chunk : chunks) {
      EXPECT_NE(FindMapping(image.mappings(), chunk.payload.begin()), nullptr);
    }
  }
}

TEST(HeapChunks, AreFoundByAnyAddressInside) {
  const std::vector<HeapChunk> chunks = {Used(0x1000, 0x20), Used(0x1020, 0x40)};
  EXPECT_EQ(FindChunk(chunks, Addr(0x100f)), nullptr);
  EXPECT_EQ(FindChunk(chunks, Addr(0x1010)), &chunks[0]);
  EXPECT_EQ(FindChunk(chunks, Addr(0x1035)), &chunks[1]);
  EXPECT_EQ(FindChunk(chunks, Addr(0x106f)), nullptr);
}

}  // namespace
}  // namespace mcr::mutator
