#include "tracer/sys/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include "mcr/base/owned_fd.h"

namespace mcr::tracer {
namespace {

std::string PathOf(std::string_view name) { return "/proc/sys/" + std::string(name); }

}  // namespace

Result<std::string> ReadSysctl(std::string_view name) {
  const std::string path = PathOf(name);
  const OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot open", path);
  char buffer[4096];
  const ssize_t count = read(file.get(), buffer, sizeof buffer);
  if (count < 0) return FailErrno("cannot read", path);
  std::string value(buffer, static_cast<size_t>(count));
  while (value.ends_with('\n')) value.pop_back();
  return value;
}

Status WriteSysctl(std::string_view name, std::string_view value) {
  const std::string path = PathOf(name);
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot open", path);
  if (write(file.get(), value.data(), value.size()) < 0) return FailErrno("cannot write", path);
  return {};
}

}  // namespace mcr::tracer
