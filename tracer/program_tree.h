// The processes of a server: its main process and those below it that execute the same program.
//
// Others that it has started (a session's shell, a script) are not part of it, nor is anything
// below them: an update does not touch them.
#ifndef MCR_TRACER_PROGRAM_TREE_H_
#define MCR_TRACER_PROGRAM_TREE_H_

#include <sys/types.h>

#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

class ProgramTree {
 public:
  // What `root` executes now is the program.
  static Result<ProgramTree> Of(pid_t root);

  // Whether a process executes the program; false for one that has ended.
  bool Executes(pid_t pid) const;
  // The root first, parents before children. Complete only while their threads are stopped
  // (ProcFs::Children).
  Result<std::vector<pid_t>> List() const;

 private:
  ProgramTree(pid_t root, dev_t device, ino_t inode)
      : root_(root), device_(device), inode_(inode) {}

  pid_t root_;
  dev_t device_;
  ino_t inode_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_PROGRAM_TREE_H_
