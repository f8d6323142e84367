// Where undo logs lie: /run/mcr, a tmpfs that only root can look into. A log is there from before
// the first act of an update until nothing of it is left to undo; whoever works on it holds a lock,
// which the kernel takes away from the dead. So a log that can be locked has been left behind.
#ifndef MCR_CHECKPOINT_GUARDIAN_UNDO_DIRECTORY_H_
#define MCR_CHECKPOINT_GUARDIAN_UNDO_DIRECTORY_H_

#include <string>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class UndoDirectory {
 public:
  // Makes it if need be; refuses one that somebody else could have made or can look into.
  static Result<UndoDirectory> Open(const std::string& path = "/run/mcr");

  std::vector<std::string> Names() const;

  // A new, empty file.
  Status Create(const std::string& name) const;
  // A lock of this process and of those that it forks, but not by the descriptor of the log itself.
  // Invalid: another holds it, or the file is gone.
  OwnedFd Lock(const std::string& name) const;
  // By a descriptor of its own, since a mapping would hold the lock as well.
  Result<OwnedFd> OpenLog(const std::string& name) const;
  void Remove(const std::string& name) const;

 private:
  explicit UndoDirectory(OwnedFd fd) : fd_(std::move(fd)) {}

  OwnedFd fd_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GUARDIAN_UNDO_DIRECTORY_H_
