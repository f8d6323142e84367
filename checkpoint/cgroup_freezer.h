// A cgroup made for the time of an update, in which a whole server can be frozen: what keeps its
// tasks stopped while one tracer hands over to the next (cgroup.freeze of cgroups(7) version 2,
// which ptrace can attach to and detach from).
#ifndef MCR_CHECKPOINT_CGROUP_FREEZER_H_
#define MCR_CHECKPOINT_CGROUP_FREEZER_H_

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/sys/child.h"

namespace mcr::checkpoint {

class FrozenCgroup {
 public:
  // Makes a child of the first process's cgroup and moves all of them into it; those that they fork
  // follow. They run on. Takes some milliseconds (the kernel waits for a grace period), so it is
  // done before the pause.
  static Result<std::unique_ptr<FrozenCgroup>> Create(const std::vector<pid_t>& pids);
  // Moves one more into it. One that has ended is none.
  Status Add(pid_t pid);

  FrozenCgroup(const FrozenCgroup&) = delete;
  FrozenCgroup& operator=(const FrozenCgroup&) = delete;
  ~FrozenCgroup();  // Close(), errors ignored

  // Returns when every task is frozen; a task in a ptrace stop counts as frozen, and is when it is
  // detached.
  Status Freeze(std::chrono::milliseconds timeout = std::chrono::milliseconds(1000));
  // Returns at once; frozen tasks run, those in ptrace stops stay there.
  Status Thaw();

  // Kills every process in it, and returns when none is left that is alive.
  Status EndAll(std::chrono::milliseconds timeout = std::chrono::milliseconds(2000));

  // Moves processes that are in none of its making to where those with their PIDs were.
  Status MoveBack(const std::vector<pid_t>& pids) const;

  // Thaws, moves every process back to where it was, removes the cgroup.
  Status Close();

  const std::string& directory() const { return directory_; }
  // Where each process was.
  const std::map<pid_t, std::string>& origins() const { return origins_; }

 private:
  FrozenCgroup(std::string directory, std::string parent);

  // A child process that does what Close does if we die: a frozen server must not stay frozen.
  Status StartGuard();
  Status Empty();

  std::string directory_;
  std::string parent_;
  std::map<pid_t, std::string> origins_;
  OwnedFd guard_pipe_;  // closed without a word: the guard acts
  std::unique_ptr<tracer::Child> guard_;
  bool open_ = true;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CGROUP_FREEZER_H_
