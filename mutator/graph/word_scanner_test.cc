#include "mutator/graph/word_scanner.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace mcr::mutator {
namespace {

constexpr Addr kStart(0x7f0000001000);
const PointerGuard kGuard(0x1234567890abcdef);
const Range<Addr> kModule = *Range<Addr>::FromSize(Addr(0x55d0c0de0000), 0x2000);

std::vector<LikelyPointer> Scan(std::vector<std::byte>& bytes, Range<Addr> target = kModule) {
  std::vector<LikelyPointer> found;
  ScanWords(bytes, kStart, std::span(&target, 1), kGuard, found);
  return found;
}

void Put(std::vector<std::byte>& bytes, size_t at, uint64_t word) {
  std::memcpy(bytes.data() + at, &word, sizeof word);
}

TEST(ScanWords, FindsAlignedAndUnalignedWords) {
  std::vector<std::byte> bytes(256);
  Put(bytes, 0, 0x55d0c0de0000);
  Put(bytes, 101, 0x55d0c0de1234);
  Put(bytes, 248, 0x55d0c0de1fff);
  const auto found = Scan(bytes);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].at, kStart);
  EXPECT_EQ(found[1].at, kStart + 101);
  EXPECT_FALSE(found[1].aligned());
  EXPECT_EQ(found[1].target, 0x55d0c0de1234u);
  EXPECT_EQ(found[2].at, kStart + 248);
}

TEST(ScanWords, CountsOnePastTheEndAndNothingBeyond) {
  std::vector<std::byte> bytes(64);
  Put(bytes, 8, 0x55d0c0de2000);
  Put(bytes, 24, 0x55d0c0de2001);
  Put(bytes, 40, 0x55d0c0ddffff);
  const auto found = Scan(bytes);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].target, 0x55d0c0de2000u);
}

TEST(ScanWords, FindsMangledPointers) {
  std::vector<std::byte> bytes(64);
  Put(bytes, 16, kGuard.Mangle(0x55d0c0de0010));
  const auto found = Scan(bytes);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].mangled);
  EXPECT_EQ(found[0].target, 0x55d0c0de0010u);
}

TEST(ScanWords, ModuleMayCrossATebibyte) {
  std::vector<std::byte> bytes(64);
  const auto target = *Range<Addr>::FromSize(Addr(0x55fffffff000), 0x2000);
  Put(bytes, 8, 0x55fffffff800);
  Put(bytes, 32, 0x560000000800);
  EXPECT_EQ(Scan(bytes, target).size(), 2u);
}

TEST(ScanWords, FindsPointersIntoEveryRangeAndNothingBetween) {
  std::vector<std::byte> bytes(64);
  const Range<Addr> targets[] = {kModule, *Range<Addr>::FromSize(Addr(0x7f1000000000), 0x1000),
                                 *Range<Addr>::FromSize(Addr(0x7f1000004000), 0x1000)};
  Put(bytes, 0, 0x55d0c0de0010);
  Put(bytes, 16, 0x7f1000000010);
  Put(bytes, 32, 0x7f1000002000);
  Put(bytes, 48, 0x7f1000004010);
  std::vector<LikelyPointer> found;
  ScanWords(bytes, kStart, targets, kGuard, found);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].at, kStart + 16);
  EXPECT_EQ(found[2].at, kStart + 48);
}

TEST(ScanWords, ShortInputHoldsNoWord) {
  std::vector<std::byte> bytes(7, std::byte{0x55});
  EXPECT_TRUE(Scan(bytes).empty());
}

}  // namespace
}  // namespace mcr::mutator
