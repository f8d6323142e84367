#include "checkpoint/cgroup_path.h"

#include <unistd.h>

#include <optional>
#include <sstream>

#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

struct CgroupMount {
  std::string root;   // the cgroup that is mounted
  std::string point;  // where
};

// "36 35 0:28 /root /mount/point options… - cgroup2 source options"
std::optional<CgroupMount> ParseMount(const std::string& line) {
  std::istringstream fields(line);
  std::string skipped, type;
  CgroupMount mount;
  fields >> skipped >> skipped >> skipped >> mount.root >> mount.point;
  while (fields >> skipped && skipped != "-") {
  }
  if (!(fields >> type) || type != "cgroup2") return std::nullopt;
  return mount;
}

std::optional<CgroupMount> FindMount(std::string_view mountinfo) {
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    if (auto mount = ParseMount(line)) return mount;
  }
  return std::nullopt;
}

// The line "0::/path" is version 2's.
std::optional<std::string> FindPath(std::string_view cgroup) {
  std::istringstream lines{std::string(cgroup)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> FindCgroupDirectory(std::string_view mountinfo, std::string_view cgroup) {
  const auto mount = FindMount(mountinfo);
  const auto path = FindPath(cgroup);
  if (!mount || !path) {
    return Fail("no cgroup version 2 is mounted", "", "mount -t cgroup2 none /sys/fs/cgroup");
  }
  const std::string root = mount->root == "/" ? "" : mount->root;
  const bool inside = path->starts_with(root) && !path->starts_with("/..") &&
                      (path->size() == root.size() || (*path)[root.size()] == '/');
  if (!inside) return Fail("the server's cgroup is not mounted here", *path);
  const std::string below = path->substr(root.size());
  return below == "/" ? mount->point : mount->point + below;
}

Result<std::string> CgroupDirectoryOf(pid_t pid) {
  MCR_ASSIGN(const std::string mountinfo, tracer::ProcFs().ReadText(getpid(), "mountinfo"));
  MCR_ASSIGN(const std::string cgroup, tracer::ProcFs().ReadText(pid, "cgroup"));
  return FindCgroupDirectory(mountinfo, cgroup);
}

}  // namespace mcr::checkpoint
