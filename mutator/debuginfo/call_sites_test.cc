#include "mutator/debuginfo/call_sites.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "mcr/base/address.h"

namespace mcr::mutator {
namespace {

// One call per name, on lines 1, 2, …, returning to 0x10, 0x20, …
std::vector<CallSite> Calls(std::initializer_list<const char*> callees) {
  std::vector<CallSite> calls;
  for (const char* callee : callees) {
    const auto line = static_cast<uint32_t>(calls.size() + 1);
    calls.push_back({{{line, 1}}, callee, {FileAddr(uint64_t{0x10} * line)}});
  }
  return calls;
}

FileAddr Nth(uint64_t number) { return FileAddr(0x10 * number); }

TEST(CallSitesTest, TheOnlyCallOfAFunctionIsTheSameWhereverItStands) {
  const auto found = FindSameCall(Calls({"open", "wait"}), Nth(2), Calls({"wait", "log", "open"}));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, Nth(1));
}

TEST(CallSitesTest, CallsOfOneFunctionAreToldApartByThoseAroundThem) {
  const auto before = Calls({"wait", "accept", "wait", "close"});
  const auto after = Calls({"wait", "accept", "log", "wait", "close"});
  ASSERT_TRUE(FindSameCall(before, Nth(1), after));
  EXPECT_EQ(*FindSameCall(before, Nth(1), after), Nth(1));
  EXPECT_EQ(*FindSameCall(before, Nth(3), after), Nth(4));
}

TEST(CallSitesTest, OfTwoCallsThatBecameOneNeitherIsFound) {
  EXPECT_FALSE(FindSameCall(Calls({"wait", "wait"}), Nth(1), Calls({"wait"})));
  EXPECT_FALSE(FindSameCall(Calls({"wait", "wait"}), Nth(2), Calls({"wait"})));
}

TEST(CallSitesTest, ACallThatBecameTwoIsNotFound) {
  EXPECT_FALSE(FindSameCall(Calls({"wait"}), Nth(1), Calls({"wait", "wait"})));
}

TEST(CallSitesTest, ACallThatIsGoneIsNotFound) {
  const auto found = FindSameCall(Calls({"open", "wait"}), Nth(2), Calls({"open"}));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().what.find("wait"), std::string::npos);
}

TEST(CallSitesTest, ACallThatTheCompilerMadeTwiceIsNotFound) {
  auto after = Calls({"wait"});
  after.front().returns.push_back(Nth(7));
  EXPECT_FALSE(FindSameCall(Calls({"wait"}), Nth(1), after));
}

}  // namespace
}  // namespace mcr::mutator
