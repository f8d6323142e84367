#include "tracer/program_tree.h"

#include <sys/stat.h>

#include <string>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {

Result<ProgramTree> ProgramTree::Of(pid_t root) {
  struct stat info;
  if (stat(ProcFs().Path(root, "exe").c_str(), &info) != 0) {
    return FailErrno("cannot look at the server's program", "PID " + std::to_string(root));
  }
  return ProgramTree(root, info.st_dev, info.st_ino);
}

bool ProgramTree::Executes(pid_t pid) const {
  struct stat info;
  return stat(ProcFs().Path(pid, "exe").c_str(), &info) == 0 && info.st_dev == device_ &&
         info.st_ino == inode_;
}

Result<std::vector<pid_t>> ProgramTree::List() const {
  const ProcFs proc;
  std::vector<pid_t> pids = {root_};
  for (size_t i = 0; i < pids.size(); ++i) {
    const Result<std::vector<pid_t>> children = proc.Children(pids[i]);
    if (!children) continue;  // it has ended
    for (const pid_t child : *children) {
      if (Executes(child)) pids.push_back(child);
    }
  }
  return pids;
}

}  // namespace mcr::tracer
