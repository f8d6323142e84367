#include "mcr/update/surroundings.h"

#include <unistd.h>

#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tracer/sys/procfs.h"

namespace mcr::update {
namespace {

std::string Where(pid_t pid) { return "PID " + std::to_string(pid); }

// criu/namespaces.c, "Can't dump nested": of the others it dumps as many as there are.
struct NamespaceKind {
  const char* link;
  const char* name;
};
constexpr NamespaceKind kOnePerTree[] = {
    {"ns/pid", "PID"}, {"ns/ipc", "IPC"}, {"ns/uts", "UTS"}, {"ns/user", "user"}};

// The first field of each line of /proc/PID/mountinfo.
Result<std::set<std::string>> MountsOf(pid_t pid) {
  MCR_ASSIGN(const std::string text, tracer::ProcFs().ReadText(pid, "mountinfo"));
  std::set<std::string> mounts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) mounts.insert(line.substr(0, line.find(' ')));
  return mounts;
}

// On which mount a descriptor's file is; "" if it has ended, or is none that a path leads to.
std::string MountOfFile(pid_t pid, int fd) {
  const tracer::ProcFs procfs;
  const auto path = procfs.ReadLink(pid, "fd/" + std::to_string(fd));
  if (!path || !path->starts_with("/") || path->ends_with(" (deleted)")) return "";
  const auto text = procfs.ReadText(pid, "fdinfo/" + std::to_string(fd));
  constexpr std::string_view kField = "mnt_id:";
  const size_t at = text ? text->find(kField) : std::string::npos;
  if (at == std::string::npos) return "";
  std::string mount;
  std::istringstream(text->substr(at + kField.size())) >> mount;
  return mount;
}

// criu/files-reg.c, "Can't lookup mount": as of a service whose standard input the service manager
// has opened before it made the service a namespace of its own. In ours there is none of these.
Status CheckFilesAreInside(pid_t root) {
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const std::string ours, procfs.ReadLink(getpid(), "ns/mnt"));
  MCR_ASSIGN(const std::string theirs, procfs.ReadLink(root, "ns/mnt"));
  if (ours == theirs) return {};
  MCR_ASSIGN(const std::set<std::string> mounts, MountsOf(root));
  MCR_ASSIGN(const std::vector<int> descriptors, procfs.Descriptors(root));
  for (const int fd : descriptors) {
    const std::string mount = MountOfFile(root, fd);
    if (mount.empty() || mounts.contains(mount)) continue;
    return Fail("descriptor " + std::to_string(fd) +
                    " is of a mount outside of its mount namespace, of which CRIU makes no "
                    "checkpoint",
                Where(root), "use --checkpoint=twin");
  }
  return {};
}

}  // namespace

Status CheckUserNamespace(const std::vector<pid_t>& pids) {
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const std::string ours, procfs.ReadLink(getpid(), "ns/user"));
  for (const pid_t pid : pids) {
    const auto theirs = procfs.ReadLink(pid, "ns/user");
    if (!theirs || *theirs == ours) continue;  // it has ended, or is in ours
    return Fail("the server is in another user namespace than mcr", Where(pid),
                "run mcr inside, as root there, or restart the server for this update");
  }
  return {};
}

Status CheckDumpable(pid_t root) {
  const tracer::ProcFs procfs;
  MCR_ASSIGN(const std::vector<pid_t> pids, procfs.Descendants(root));
  for (const NamespaceKind& kind : kOnePerTree) {
    MCR_ASSIGN(const std::string of_root, procfs.ReadLink(root, kind.link));
    for (const pid_t pid : pids) {
      const auto its = procfs.ReadLink(pid, kind.link);
      if (!its || *its == of_root) continue;  // it has ended, or shares the root's
      return Fail(std::string("a process has a ") + kind.name +
                      " namespace of its own, of which CRIU makes no checkpoint",
                  Where(pid), "use --checkpoint=twin");
    }
  }
  return CheckFilesAreInside(root);
}

}  // namespace mcr::update
