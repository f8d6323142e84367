#include "profiles/profile.h"

#include <gtest/gtest.h>

#include <string>

#include "profiles/shipped.h"

namespace mcr::profiles {
namespace {

constexpr char kGood[] = R"(
identity { name: "d" executable: "d*" }
learned { roles { name: "main" quiescent_points { system_call: "poll" call_stack: "loop" } } }
)";

std::string ErrorOf(std::string_view text) {
  auto profile = ParseProfile(text, "x.textproto");
  return profile ? "" : profile.error().Line();
}

TEST(Profile, IsForExecutablesThatMatchAPattern) {
  const Profile profile = ParseProfile(kGood, "x").value();
  EXPECT_TRUE(IsFor(profile, "/usr/sbin/d-1.2"));
  EXPECT_FALSE(IsFor(profile, "/usr/sbin/e"));
}

TEST(Profile, SyntaxErrorNamesLineAndColumn) {
  EXPECT_NE(ErrorOf("identity {\n  nam: 3 }").find("2:"), std::string::npos);
}

TEST(Profile, RefusesWhatWouldNeverMatch) {
  EXPECT_NE(ErrorOf("").find("without identity"), std::string::npos);
  EXPECT_NE(ErrorOf(R"(identity { name: "d" executable: "d" })").find("without roles"),
            std::string::npos);
  EXPECT_NE(ErrorOf(R"(identity { name: "d" executable: "d" } learned { roles { name: "m" } })")
                .find("without a quiescent point"),
            std::string::npos);
  EXPECT_NE(ErrorOf(R"(identity { name: "d" executable: "d" }
                       learned { roles { name: "m" quiescent_points { system_call: "sleep"
                                                                      call_stack: "f" } } })")
                .find("unknown blocking system call \"sleep\""),
            std::string::npos);
}

TEST(Profile, RefusesTooLargeInput) {
  EXPECT_NE(ErrorOf(std::string((1 << 20) + 1, ' ')).find("larger than 1 MiB"), std::string::npos);
}

TEST(Profile, MissingFileIsOneLine) {
  const auto profile = LoadProfile("/nonexistent.textproto");
  ASSERT_FALSE(profile.has_value());
  EXPECT_EQ(profile.error().Line(),
            "cannot read profile: No such file or directory, /nonexistent.textproto; check "
            "--profile");
}

TEST(Profile, ShippedProfilesAreValid) {
  const auto profile = FindShipped("/usr/sbin/nginx");
  ASSERT_TRUE(profile.has_value()) << profile.error().Line();
  ASSERT_TRUE(profile->has_value());
  EXPECT_EQ((*profile)->identity().name(), "nginx");
}

TEST(Profile, ProgramsWithoutAShippedProfileHaveNone) {
  const auto profile = FindShipped("/usr/bin/no-such-server");
  ASSERT_TRUE(profile.has_value());
  EXPECT_FALSE(profile->has_value());
}

}  // namespace
}  // namespace mcr::profiles
