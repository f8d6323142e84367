#include "mcr/update/surroundings.h"

#include <unistd.h>

#include <string>

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
  return {};
}

}  // namespace mcr::update
