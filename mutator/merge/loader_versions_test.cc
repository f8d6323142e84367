#include "mutator/merge/loader_versions.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "checkpoint/fake_image.h"

namespace mcr::mutator {
namespace {

constexpr Addr kTable(0x7f0000000000), kNames(0x7f0000001000);
const Range<Addr> kModule = *Range<Addr>::FromSize(kNames, 0x1000);
constexpr uint32_t kGlibc225 = 0x09691a75;  // as `readelf -V` has it for GLIBC_2.2.5

class LoaderVersionsTest : public testing::Test {
 protected:
  LoaderVersionsTest() {
    image_.MapAnonymous(kTable, 0x1000).MapAnonymous(kNames, 0x1000);
    image_.WriteString(kNames, "GLIBC_2.2.5");
  }
  void Add(uint64_t index, uint32_t hash) {
    image_.WriteWord(kTable + index * 24, kNames.value());
    image_.WriteWord(kTable + index * 24 + 8, hash);
    image_.WriteWord(kTable + index * 24 + 16, (kNames + 0x100).value());
  }

  checkpoint::FakeImage image_;
};

TEST_F(LoaderVersionsTest, EntriesWhoseHashIsThatOfTheirName) {
  Add(2, kGlibc225);
  Add(3, kGlibc225);
  const auto table = FindVersionTable(image_, kTable, kModule);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->range(), Range<Addr>::FromSize(kTable, 4 * 24));
  EXPECT_TRUE(SameVersions(*table, *table));
  VersionTable shorter = *table;
  shorter.entries.pop_back();
  EXPECT_FALSE(SameVersions(*table, shorter));
}

TEST_F(LoaderVersionsTest, VersionsOfItsOwnHaveNoFile) {
  Add(2, kGlibc225);
  Add(3, kGlibc225);
  image_.WriteWord(kTable + 2 * 24 + 16, 0);
  const auto table = FindVersionTable(image_, kTable, kModule);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->entries.size(), 4u);
}

TEST_F(LoaderVersionsTest, NothingElse) {
  EXPECT_FALSE(FindVersionTable(image_, kTable, kModule));
  Add(2, kGlibc225 + 1);
  EXPECT_FALSE(FindVersionTable(image_, kTable, kModule));
  EXPECT_FALSE(FindVersionTable(image_, Addr(8), kModule));
}

}  // namespace
}  // namespace mcr::mutator
