// The processes of a server: its main process and those below it that execute the same program.
//
// Others that it has started (a session's shell, a script) are not part of it, nor is anything
// below them: an update does not touch them.
#ifndef MCR_TRACER_PROGRAM_TREE_H_
#define MCR_TRACER_PROGRAM_TREE_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "mcr/base/mapping.h"
#include "mcr/base/result.h"

namespace mcr::tracer {

class ProgramTree {
 public:
  // What `root` executes now is the program. With `root_only`, no other process belongs to it.
  static Result<ProgramTree> Of(pid_t root, bool root_only = false);

  // Whether a process executes the program; false for one that has ended.
  bool Executes(pid_t pid) const;
  // The root first, parents before children. Complete only while their threads are stopped
  // (ProcFs::Children).
  Result<std::vector<pid_t>> List() const;

 private:
  ProgramTree(pid_t root, bool root_only, dev_t device, ino_t inode, const Mapping* code);

  bool Maps(pid_t pid) const;

  pid_t root_;
  bool root_only_;
  dev_t device_;
  ino_t inode_;
  // As /proc/PID/maps has them, which is not what stat(2) says on every file system; 0: not mapped.
  uint64_t mapped_device_ = 0, mapped_inode_ = 0;
  // Whether a process with another executable maps the program, by that, too: execve(2) changes it.
  mutable std::map<std::tuple<pid_t, dev_t, ino_t>, bool> known_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_PROGRAM_TREE_H_
