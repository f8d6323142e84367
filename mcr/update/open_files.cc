#include "mcr/update/open_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <string_view>

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

std::optional<int64_t> SizeOf(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status.st_size;
}

}  // namespace

OpenFiles OpenFiles::Of(const std::vector<pid_t>& pids) {
  const tracer::ProcFs procfs;
  OpenFiles files;
  for (const pid_t pid : pids) {
    const auto descriptors = procfs.Descriptors(pid);
    if (!descriptors) continue;  // it has ended
    for (const int fd : *descriptors) {
      const std::string name = std::to_string(fd);
      const auto path = procfs.ReadLink(pid, "fd/" + name);
      const auto info = procfs.ReadText(pid, "fdinfo/" + name);
      const auto flags = info ? FlagsIn(*info) : std::nullopt;
      if (!path || !flags || IsOnlyAppendedTo(*flags)) continue;
      // A deleted one is in the checkpoint.
      if (const auto size = SizeOf(*path)) files.sizes_[*path] = *size;
    }
  }
  return files;
}

Status OpenFiles::CheckUnchanged() const {
  for (const auto& [path, size] : sizes_) {
    if (SizeOf(path) == size) continue;
    return Fail("a file that it had open is another now", path);
  }
  return {};
}

}  // namespace mcr::update
