#include "mcr/record/announced_ports.h"

#include <gtest/gtest.h>

namespace mcr::record {
namespace {

using Ports = std::vector<uint16_t>;

const std::string kPassive = R"(^227 .*,([0-9]+),([0-9]+)\))";
const std::string kExtended = R"(^229 .*\(\|\|\|([0-9]+)\|\))";

TEST(AnnouncedPorts, AreReadAsTwoBytesOrAsANumber) {
  const auto ports = AnnouncedPorts::Create({kPassive, kExtended});
  ASSERT_TRUE(ports);
  EXPECT_EQ(ports->FindIn("227 Entering Passive Mode (127,0,0,1,156,64).\r\n"), Ports{40000});
  EXPECT_EQ(ports->FindIn("229 Entering Extended Passive Mode (|||40001|)\r\n"), Ports{40001});
}

TEST(AnnouncedPorts, EachAnnouncementCounts) {
  const auto ports = AnnouncedPorts::Create({kPassive});
  ASSERT_TRUE(ports);
  EXPECT_EQ(ports->FindIn("227 (0,0,0,0,0,21)\n200 done\n227 (0,0,0,0,1,0)\n"), (Ports{21, 256}));
}

TEST(AnnouncedPorts, WhatIsNoPortIsNone) {
  const auto ports = AnnouncedPorts::Create({kPassive, kExtended});
  ASSERT_TRUE(ports);
  EXPECT_EQ(ports->FindIn("227 (0,0,0,0,300,1)\n229 (|||99999|)\n230 (|||1|)\n"), Ports{});
}

TEST(AnnouncedPorts, OtherExpressionsAreRefused) {
  EXPECT_FALSE(AnnouncedPorts::Create({"227 (unclosed"}));
  EXPECT_FALSE(AnnouncedPorts::Create({"227 without a group"}));
  EXPECT_FALSE(AnnouncedPorts::Create({"(1)(2)(3)"}));
}

}  // namespace
}  // namespace mcr::record
