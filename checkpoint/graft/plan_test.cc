#include "checkpoint/graft/plan.h"

#include <gtest/gtest.h>

#include <cstring>

namespace mcr::checkpoint {
namespace {

TEST(WriteList, KeepsWhatWasAddedInOrder) {
  WriteList writes;
  writes.AddWord(Addr(0x2000), 0x1234);
  writes.Add(Addr(0x1000), std::as_bytes(std::span("hello")));
  ASSERT_EQ(writes.entries().size(), 2u);
  uint64_t word = 0;
  std::memcpy(&word, writes.bytes(writes.entries()[0]).data(), sizeof(word));
  EXPECT_EQ(word, 0x1234u);
  EXPECT_EQ(writes.entries()[1].at, Addr(0x1000));
  EXPECT_EQ(std::memcmp(writes.bytes(writes.entries()[1]).data(), "hello", 6), 0);
  EXPECT_EQ(writes.total_bytes(), 14u);
}

}  // namespace
}  // namespace mcr::checkpoint
