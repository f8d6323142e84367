#include "profiles/profile.h"

#include <fnmatch.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "mcr/base/system_call.h"

namespace mcr::profiles {
namespace {

constexpr size_t kLargestProfile = 1 << 20;  // bytes

// Keeps the first parse error, with its place.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (!text_.empty()) return;
    // A negative line means that the error has no place.
    if (line >= 0) text_ = std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": ";
    text_ += message;
  }
  void AddWarning(int, int, const std::string&) override {}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Status CheckRole(const Role& role, const std::string& origin) {
  if (role.quiescent_points().empty()) {
    return Fail("role without a quiescent point", origin + ": \"" + role.name() + "\"",
                "add quiescent_points, or learn them with `mcr profile`");
  }
  for (const QuiescentPoint& point : role.quiescent_points()) {
    if (!BlockingCallNumber(point.system_call())) {
      return Fail("unknown blocking system call \"" + point.system_call() + "\"",
                  origin + ": role \"" + role.name() + "\"");
    }
    if (point.call_stack().empty()) {
      return Fail("quiescent point without a call stack",
                  origin + ": role \"" + role.name() + "\"");
    }
  }
  return {};
}

Status Check(const Profile& profile, const std::string& origin) {
  if (profile.identity().name().empty() || profile.identity().executable().empty()) {
    return Fail("profile without identity", origin, "set identity { name executable }");
  }
  if (profile.learned().roles().empty()) {
    return Fail("profile without roles", origin, "learn them with `mcr profile`");
  }
  for (const Role& role : profile.learned().roles()) MCR_TRY(CheckRole(role, origin));
  return {};
}

}  // namespace

Result<Profile> ParseProfile(std::string_view text, const std::string& origin) {
  if (text.size() > kLargestProfile) return Fail("profile larger than 1 MiB", origin);
  Profile profile;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(std::string(text), &profile)) {
    return Fail("profile cannot be parsed: " + error.text(), origin,
                "see profiles/profile.proto for the format");
  }
  MCR_TRY(Check(profile, origin));
  return profile;
}

Result<Profile> LoadProfile(const std::string& path) {
  // Opening a FIFO would wait for somebody to write to it.
  std::error_code failed;
  if (std::filesystem::exists(path, failed) && !std::filesystem::is_regular_file(path, failed)) {
    return Fail("profile is not a regular file", path, "check --profile");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailErrno("cannot read profile", path, "check --profile");
  std::string text(kLargestProfile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return FailErrno("cannot read profile", path);
  text.resize(static_cast<size_t>(file.gcount()));
  return ParseProfile(text, path);
}

bool IsFor(const Profile& profile, const std::string& path) {
  const std::string name = std::filesystem::path(path).filename();
  return std::ranges::any_of(profile.identity().executable(), [&](const std::string& pattern) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

}  // namespace mcr::profiles
