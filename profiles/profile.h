// Reading profiles: text-format protobuf (profile.proto), untrusted input until checked.
#ifndef MCR_PROFILES_PROFILE_H_
#define MCR_PROFILES_PROFILE_H_

#include <string>
#include <string_view>

#include "mcr/base/result.h"
#include "profiles/profile.pb.h"

namespace mcr::profiles {

// Fails in one line for: missing, unreadable, not text format (with line and column), larger than 1
// MiB, unknown system call, a role without quiescent point, an identity without name or executable.
Result<Profile> ParseProfile(std::string_view text, const std::string& origin);
Result<Profile> LoadProfile(const std::string& path);

// Whether the profile is for the program whose executable is at `path`.
bool IsFor(const Profile& profile, const std::string& path);

}  // namespace mcr::profiles

#endif  // MCR_PROFILES_PROFILE_H_
