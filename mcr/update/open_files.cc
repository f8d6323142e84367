#include "mcr/update/open_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <string_view>

#include "mcr/base/mapping.h"
#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

// Of the field "flags:" of /proc/PID/fdinfo/N (proc_pid_fdinfo(5)), which is octal.
std::optional<int> FlagsIn(const std::string& fdinfo) {
  constexpr std::string_view kField = "flags:";
  const size_t at = fdinfo.find(kField);
  if (at == std::string::npos) return std::nullopt;
  return static_cast<int>(std::strtol(fdinfo.c_str() + at + kField.size(), nullptr, 8));
}

bool IsOnlyAppendedTo(int flags) {
  return (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND) != 0;
}

constexpr int64_t kAnySize = -1;

// nullopt: there is nothing.
std::optional<int64_t> SizeOf(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return S_ISREG(status.st_mode) ? status.st_size : kAnySize;
}

}  // namespace

OpenFiles OpenFiles::Of(const std::vector<pid_t>& pids) {
  const tracer::ProcFs procfs;
  OpenFiles files;
  for (const pid_t pid : pids) {
    const auto descriptors = procfs.Descriptors(pid);
    const auto mappings = procfs.ReadMappings(pid);
    if (!descriptors || !mappings) continue;  // it has ended
    for (const int fd : *descriptors) {
      const std::string name = std::to_string(fd);
      const auto path = procfs.ReadLink(pid, "fd/" + name);
      const auto info = procfs.ReadText(pid, "fdinfo/" + name);
      const auto flags = info ? FlagsIn(*info) : std::nullopt;
      if (path && flags) files.Add(*path, IsOnlyAppendedTo(*flags));
    }
    for (const Mapping& mapping : *mappings) files.Add(mapping.path, false);
  }
  return files;
}

// A deleted one is in the checkpoint.
void OpenFiles::Add(const std::string& path, bool may_grow) {
  if (!path.starts_with('/')) return;
  if (const auto size = SizeOf(path)) sizes_[path] = may_grow ? kAnySize : *size;
}

Status OpenFiles::CheckUnchanged() const {
  for (const auto& [path, size] : sizes_) {
    const auto now = SizeOf(path);
    if (now && (size == kAnySize || *now == size)) continue;
    return Fail("a file that it had open is another now", path);
  }
  return {};
}

}  // namespace mcr::update
