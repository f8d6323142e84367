#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "mcr/base/address.h"
#include "mcr/base/fault.h"
#include "mcr/base/mapping.h"
#include "mcr/base/memory_reader.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"

namespace mcr {
namespace {

TEST(Error, LineJoinsWhatWhereAndAdvice) {
  EXPECT_EQ((Error{"cannot attach", "tid 7", "run as root", 0}.Line()),
            "cannot attach, tid 7; run as root");
  EXPECT_EQ((Error{"cannot attach", "", "", 0}.Line()), "cannot attach");
}

TEST(Result, AssignPassesTheErrorOn) {
  auto inner = []() -> Result<int> { return Fail("no"); };
  auto outer = [&]() -> Result<std::string> {
    MCR_ASSIGN(const int value, inner());
    return std::to_string(value);
  };
  ASSERT_FALSE(outer().has_value());
  EXPECT_EQ(outer().error().what, "no");
}

TEST(Range, RefusesToWrapAround) {
  EXPECT_FALSE(Range<Addr>::FromSize(Addr(std::numeric_limits<uint64_t>::max()), 2).has_value());
  EXPECT_FALSE(Range<Addr>::FromTo(Addr(2), Addr(1)).has_value());
}

TEST(Range, IsHalfOpen) {
  const auto range = *Range<Addr>::FromSize(Addr(0x10), 0x10);
  EXPECT_TRUE(range.Contains(Addr(0x10)));
  EXPECT_FALSE(range.Contains(Addr(0x20)));
  const auto apart = *Range<Addr>::FromSize(Addr(0x20), 0x10);
  EXPECT_FALSE(range.Overlaps(apart));
  EXPECT_TRUE(range.Intersection(apart).empty());
}

TEST(Mappings, FindsTheOneThatHoldsAnAddress) {
  Mappings mappings(2);
  mappings[0].range = *Range<Addr>::FromSize(Addr(0x1000), 0x1000);
  mappings[1].range = *Range<Addr>::FromSize(Addr(0x3000), 0x1000);
  EXPECT_EQ(FindMapping(mappings, Addr(0x1fff)), &mappings[0]);
  EXPECT_EQ(FindMapping(mappings, Addr(0x2000)), nullptr);
  EXPECT_EQ(FindMapping(mappings, Addr(0xfff)), nullptr);
}

class OnePage : public MemoryReader {
 public:
  std::string bytes = std::string(4096, 'x');
  Status Read(Addr from, std::span<std::byte> into) const override {
    if (from.value() + into.size() > bytes.size()) return Fail("unmapped", Hex(from));
    std::memcpy(into.data(), bytes.data() + from.value(), into.size());
    return {};
  }
};

TEST(MemoryReader, ReadsAStringThatEndsAtThePageEnd) {
  OnePage page;
  page.bytes.back() = '\0';
  EXPECT_EQ(page.ReadString(Addr(4090)).value(), "xxxxx");
}

TEST(MemoryReader, FailsForAStringWithoutEnd) {
  OnePage page;
  EXPECT_FALSE(page.ReadString(Addr(0), 100).has_value());
  EXPECT_FALSE(page.ReadString(Addr(0)).has_value());
}

TEST(Fault, IsParsedWithMannerAndOccurrence) {
  const auto fault = ParseFault("last-write:kill@3");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->fault, Fault::kLastWrite);
  EXPECT_EQ(fault->manner, Manner::kKill);
  EXPECT_EQ(fault->occurrence, 3);
  EXPECT_EQ(ParseFault("graft")->manner, Manner::kFail);
  EXPECT_EQ(ParseFault("graft@2")->occurrence, 2);
  for (const char* wrong : {"", "nowhere", "graft:", "graft:oddly", "graft@", "graft@0", "graft@x",
                            "unmap", "unmap:fail"}) {
    EXPECT_FALSE(ParseFault(wrong)) << wrong;
  }
}

TEST(Fault, HappensOnceAtItsOccurrence) {
  ArmFault(ParseFault("graft@2"));
  EXPECT_TRUE(FaultPoint(Fault::kMerge));
  EXPECT_TRUE(FaultPoint(Fault::kGraft));
  EXPECT_FALSE(FaultPoint(Fault::kGraft));
  EXPECT_TRUE(FaultPoint(Fault::kGraft));
  ArmFault(std::nullopt);
}

}  // namespace
}  // namespace mcr
