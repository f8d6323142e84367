#include "checkpoint/fake_image.h"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace mcr::checkpoint {
namespace {

Mapping FileMapping(uint64_t begin, uint64_t size) {
  Mapping mapping;
  mapping.range = *Range<Addr>::FromSize(Addr(begin), size);
  mapping.readable = true;
  mapping.inode = 7;
  mapping.path = "/usr/sbin/server";
  return mapping;
}

TEST(FakeImage, ReadsAcrossAdjacentMappings) {
  FakeImage image;
  image.MapAnonymous(Addr(0x2000), 0x1000).MapAnonymous(Addr(0x1000), 0x1000, "[heap]");
  image.WriteWord(Addr(0x1ffc), 0x1122334455667788);
  EXPECT_EQ(image.ReadValue<uint64_t>(Addr(0x1ffc)).value(), 0x1122334455667788u);
  EXPECT_EQ(image.ReadValue<uint32_t>(Addr(0x2000)).value(), 0x11223344u);
  EXPECT_EQ(image.mappings()[0].path, "[heap]");
  EXPECT_FALSE(image.ReadValue<uint64_t>(Addr(0x2ffc)).has_value());
}

TEST(FakeImage, PopulatesOnlyWhatWasWritten) {
  FakeImage image;
  const std::array<std::byte, 4> contents{};
  image.Map(FileMapping(0x10000, 0x8000), contents);
  image.WriteString(Addr(0x11ffe), "abc").WriteWord(Addr(0x15000), 1);
  const auto ranges = image.PopulatedRanges(image.mappings()[0].range).value();
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0], *Range<Addr>::FromTo(Addr(0x11000), Addr(0x13000)));
  EXPECT_EQ(ranges[1], *Range<Addr>::FromTo(Addr(0x15000), Addr(0x16000)));
}

TEST(FakeImage, RejectsMisuse) {
  FakeImage image;
  image.MapAnonymous(Addr(0x1000), 0x1000);
  EXPECT_THROW(image.MapAnonymous(Addr(0x1000), 0x1000), std::logic_error);
  EXPECT_THROW(image.WriteWord(Addr(0x5000), 1), std::logic_error);
}

}  // namespace
}  // namespace mcr::checkpoint
