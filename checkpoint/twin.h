// A copy-on-write copy of a stopped process: its memory as it was, for the price of its page tables
// (fork(2)). For servers that are too big to be dumped inside a pause.
//
// The copy executes nothing of the program. It closes all descriptors that it inherited, so that no
// connection depends on it, and waits in a page of ours until its Twin is gone, or we are: what
// holds it is a pair of sockets. It is no child of the server, which would have to wait for it, but
// of whoever adopts orphans.
#ifndef MCR_CHECKPOINT_TWIN_H_
#define MCR_CHECKPOINT_TWIN_H_

#include <sys/types.h>

#include <memory>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {

class Twin {
 public:
  // Whether a process that is not stopped can have a twin: a seccomp filter might kill the process
  // for the fork.
  static Status Check(pid_t pid);

  // All tasks of `process` are stopped.
  static Result<std::unique_ptr<Twin>> Fork(tracer::TracedProcess& process);

  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;
  ~Twin();  // the copy has ended

  pid_t pid() const { return pid_; }

  // Puts back what the process has changed in private memory since; its tasks are stopped. Shared
  // memory is one for both, and memory that the process has mapped or unmapped since stays as it
  // is.
  Status Restore() const;

 private:
  Twin(pid_t original, pid_t pid, OwnedFd lifeline, OwnedFd ended)
      : original_(original), pid_(pid), lifeline_(std::move(lifeline)), ended_(std::move(ended)) {}

  pid_t original_;
  pid_t pid_;
  OwnedFd lifeline_;  // the copy ends when it is closed
  OwnedFd ended_;     // a pidfd of the copy
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_TWIN_H_
