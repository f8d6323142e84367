#include "tracer/program_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "tracer/sys/procfs.h"

namespace mcr::tracer {

ProgramTree::ProgramTree(pid_t root, bool root_only, dev_t device, ino_t inode, const Mapping* code)
    : root_(root), root_only_(root_only), device_(device), inode_(inode) {
  if (code == nullptr) return;
  mapped_device_ = code->device;
  mapped_inode_ = code->inode;
}

Result<ProgramTree> ProgramTree::Of(pid_t root, bool root_only) {
  struct stat info;
  if (stat(ProcFs().Path(root, "exe").c_str(), &info) != 0) {
    return FailErrno("cannot look at the server's program", "PID " + std::to_string(root));
  }
  MCR_ASSIGN(const Mappings mappings, ProcFs().ReadMappings(root));
  const auto code = std::ranges::find_if(mappings, [&](const Mapping& mapping) {
    return mapping.executable && mapping.IsFile() && mapping.inode == info.st_ino;
  });
  return ProgramTree(root, root_only, info.st_dev, info.st_ino,
                     code == mappings.end() ? nullptr : &*code);
}

// Where it has been updated before, /proc/PID/exe may still name the old program: nobody can set it
// for a process in a chroot (prctl(2), PR_SET_MM_EXE_FILE).
bool ProgramTree::Executes(pid_t pid) const {
  if (root_only_ && pid != root_) return false;
  struct stat info;
  if (stat(ProcFs().Path(pid, "exe").c_str(), &info) != 0) return false;
  if (info.st_dev == device_ && info.st_ino == inode_) return true;
  const auto [known, is_new] = known_.try_emplace({pid, info.st_dev, info.st_ino}, false);
  if (is_new) known->second = Maps(pid);
  return known->second;
}

bool ProgramTree::Maps(pid_t pid) const {
  const auto mappings = ProcFs().ReadMappings(pid);
  return mapped_inode_ != 0 && mappings &&
         std::ranges::any_of(*mappings, [&](const Mapping& mapping) {
           return mapping.executable && mapping.IsFile() && mapping.inode == mapped_inode_ &&
                  mapping.device == mapped_device_;
         });
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
