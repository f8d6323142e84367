#include "tracer/rehearsal/mount_table.h"

#include <sys/mount.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>

namespace mcr::tracer {
namespace {

constexpr std::string_view kOwnInSandbox[] = {"/proc", "/sys", "/dev"};

// autofs: looking at it would mount something. nsfs: namespaces kept by name.
constexpr std::string_view kWithoutFiles[] = {
    "autofs",     "binfmt_misc", "bpf",       "cgroup", "cgroup2", "configfs", "debugfs",
    "devpts",     "efivarfs",    "fusectl",   "mqueue", "nsfs",    "proc",     "pstore",
    "rpc_pipefs", "securityfs",  "selinuxfs", "sysfs",  "tracefs",
};

bool IsBelow(const std::string& path, std::string_view directory) {
  return path == directory || path.starts_with(std::string(directory) + "/");
}

// Blanks, tabs, newlines and backslashes are written as three octal digits (proc_pid_mountinfo(5)).
std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

bool HasOption(const std::string& options, std::string_view name) {
  std::istringstream stream(options);
  for (std::string option; std::getline(stream, option, ',');) {
    if (option == name) return true;
  }
  return false;
}

unsigned long FlagsOf(const std::string& options) {
  unsigned long flags = 0;
  if (HasOption(options, "nosuid")) flags |= MS_NOSUID;
  if (HasOption(options, "nodev")) flags |= MS_NODEV;
  if (HasOption(options, "noexec")) flags |= MS_NOEXEC;
  return flags;
}

// "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard"; false: not for a sandbox.
bool ParseLine(const std::string& line, MountPoint& mount) {
  std::istringstream stream(line);
  const std::vector<std::string> fields{std::istream_iterator<std::string>(stream), {}};
  const auto dash = std::ranges::find(fields, "-");
  if (fields.size() < 6 || fields.end() - dash < 3) return false;
  const std::string& type = dash[1];
  const std::string super_options = fields.end() - dash > 3 ? dash[3] : "";
  mount.path = Unescape(fields[4]);
  mount.writable = HasOption(fields[5], "rw") && !HasOption(super_options, "ro");
  mount.flags = FlagsOf(fields[5]);
  if (mount.path == "/") return true;
  return std::ranges::find(kWithoutFiles, type) == std::end(kWithoutFiles) &&
         std::ranges::none_of(kOwnInSandbox, [&](auto own) { return IsBelow(mount.path, own); });
}

}  // namespace

std::vector<MountPoint> ParseMountTable(std::string_view mountinfo) {
  std::map<std::string, MountPoint> by_path;  // "/" before "/a" before "/a/b"
  std::istringstream stream{std::string(mountinfo)};
  for (std::string line; std::getline(stream, line);) {
    MountPoint mount;
    if (ParseLine(line, mount)) by_path[mount.path] = mount;
  }
  std::vector<MountPoint> mounts;
  for (auto& [path, mount] : by_path) mounts.push_back(std::move(mount));
  return mounts;
}

}  // namespace mcr::tracer
