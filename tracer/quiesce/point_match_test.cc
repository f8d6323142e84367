#include "tracer/quiesce/point_match.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "profiles/profile.h"

namespace mcr::tracer {
namespace {

profiles::Profile Parse() {
  return *profiles::ParseProfile(R"(
      identity { name: "server" executable: "server" }
      learned {
        roles {
          name: "worker"
          quiescent_points { system_call: "poll" call_stack: "wait" call_stack: "loop" }
          quiescent_points { system_call: "read" call_stack: "serve" }
        }
      })",
                                 "test");
}

TEST(PointMatch, TheCallStackIsAPrefixInnermostFirst) {
  const profiles::Profile profile = Parse();
  const profiles::Role* role = FindRole(profile, SYS_poll, {"wait", "loop", "main"});
  ASSERT_NE(role, nullptr);
  EXPECT_EQ(role->name(), "worker");
  EXPECT_EQ(FindRole(profile, SYS_poll, {"loop", "main"}), nullptr);
  EXPECT_EQ(FindRole(profile, SYS_poll, {"wait"}), nullptr);
}

TEST(PointMatch, APartOfAFunctionStandsForTheFunction) {
  const profiles::Profile profile = Parse();
  EXPECT_NE(FindRole(profile, SYS_poll, {"wait.part.0", "loop.constprop.0", "main"}), nullptr);
  EXPECT_EQ(FindRole(profile, SYS_poll, {"waiting", "loop", "main"}), nullptr);
}

TEST(PointMatch, AnInterruptedCallIsKnownByItsStack) {
  const profiles::Profile profile = Parse();
  EXPECT_NE(FindRole(profile, SYS_restart_syscall, {"wait", "loop"}), nullptr);
  EXPECT_EQ(FindRole(profile, SYS_restart_syscall, {"loop"}), nullptr);
  EXPECT_EQ(FindRole(profile, SYS_restart_syscall, {"serve"}), nullptr);  // read is not among them
}

TEST(PointMatch, TheSystemCallCounts) {
  const profiles::Profile profile = Parse();
  EXPECT_EQ(FindRole(profile, SYS_read, {"wait", "loop"}), nullptr);
  EXPECT_NE(FindRole(profile, SYS_read, {"serve", "main"}), nullptr);
  EXPECT_EQ(PointCalls(profile), (std::set<long>{SYS_read, SYS_poll}));
}

}  // namespace
}  // namespace mcr::tracer
