#include "mcr/update/memory_map.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mcr::update {
namespace {

Range<Addr> Pages(uint64_t first, uint64_t count) {
  return Range<Addr>::FromSize(Addr(first * 4096), count * 4096).value();
}

Mapping Map(uint64_t first, uint64_t count, const std::string& path) {
  Mapping mapping;
  mapping.range = Pages(first, count);
  mapping.path = path;
  return mapping;
}

TEST(MemoryMap, TellsWhatStayedFromWhatWasWrittenMappedAndUnmapped) {
  checkpoint::ProcessGraft graft;
  graft.pid = 7;
  graft.unmap = {Pages(10, 2)};
  graft.mappings = {{.range = Pages(20, 3)}, {.range = Pages(23, 1), .anonymous = true}};
  graft.writes.AddWord(Addr(30 * 4096 + 8), 1);
  graft.writes.AddWord(Addr(20 * 4096), 1);
  const ProcessMemory memory = DescribeMemory(
      graft, {"/new"},
      {Map(10, 1, "/old"), Map(11, 1, "/old"), Map(30, 4, "[heap]"), Map(40, 1, "")});
  ASSERT_EQ(memory.regions.size(), 5u);
  EXPECT_EQ(memory.regions[0].fate, Fate::kUnmapped);
  EXPECT_EQ(memory.regions[0].range, Pages(10, 2)) << "neighbours are one region";
  EXPECT_EQ(memory.regions[1].fate, Fate::kMapped);
  EXPECT_EQ(memory.regions[1].name, "/new");
  EXPECT_EQ(memory.regions[1].written, 8u);
  EXPECT_EQ(memory.regions[2].name, "");
  EXPECT_EQ(memory.regions[3].fate, Fate::kWritten);
  EXPECT_EQ(memory.regions[3].written, 8u);
  EXPECT_EQ(memory.regions[4].fate, Fate::kStayed);
}

TEST(MemoryMap, NeighboursWithAGapBetweenThemStayApart) {
  const ProcessMemory memory = DescribeMemory({}, {}, {Map(1, 1, ""), Map(3, 1, "")});
  EXPECT_EQ(memory.regions.size(), 2u);
}

}  // namespace
}  // namespace mcr::update
