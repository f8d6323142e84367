#include "tracer/rehearsal/device_directory.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace mcr::tracer {
namespace {

struct Device {
  const char* name;
  unsigned major;
  unsigned minor;
};

// Linux's Documentation/admin-guide/devices.txt.
constexpr Device kDevices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                               {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

struct Link {
  const char* name;
  const char* target;
};

constexpr Link kLinks[] = {{"fd", "/proc/self/fd"},
                           {"stdin", "/proc/self/fd/0"},
                           {"stdout", "/proc/self/fd/1"},
                           {"stderr", "/proc/self/fd/2"},
                           {"ptmx", "pts/ptmx"}};

struct FileSystem {
  const char* name;
  const char* type;
  const char* options;
};

constexpr FileSystem kFileSystems[] = {{"pts", "devpts", "newinstance,ptmxmode=0666,mode=0620"},
                                       {"shm", "tmpfs", "mode=1777,size=512m"},
                                       {"mqueue", "mqueue", nullptr}};

}  // namespace

Status MakeDeviceDirectory(const std::string& path) {
  if (mount("mcr", path.c_str(), "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=1m") != 0) {
    return FailErrno("cannot mount a tmpfs in the sandbox", path);
  }
  for (const Device& device : kDevices) {
    const std::string node = path + "/" + device.name;
    if (mknod(node.c_str(), S_IFCHR | 0666, makedev(device.major, device.minor)) != 0) {
      return FailErrno("cannot make a device in the sandbox", node);
    }
  }
  for (const Link& link : kLinks) {
    const std::string name = path + "/" + link.name;
    if (symlink(link.target, name.c_str()) != 0) return FailErrno("cannot make a link", name);
  }
  for (const FileSystem& each : kFileSystems) {
    const std::string directory = path + "/" + each.name;
    if (mkdir(directory.c_str(), 0755) != 0) return FailErrno("cannot make a directory", directory);
    // A kernel may lack one of them; a program that wants it says so.
    mount(each.type, directory.c_str(), each.type, MS_NOSUID | MS_NOEXEC, each.options);
  }
  return {};
}

}  // namespace mcr::tracer
