// What the kernel says about processes in /proc (proc(5)).
//
// A ProcFs reads below a directory: /proc, or one that a test has filled. A process that is gone is
// an error with os_error ESRCH.
#ifndef MCR_TRACER_SYS_PROCFS_H_
#define MCR_TRACER_SYS_PROCFS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcr/base/mapping.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"
#include "tracer/sys/procfs_parse.h"

namespace mcr::tracer {

class ProcFs {
 public:
  explicit ProcFs(std::string root = "/proc") : root_(std::move(root)) {}

  // "/proc/4711/maps": for system calls that want a path.
  std::string Path(pid_t pid, std::string_view name) const;

  // Any text file of a process, whole: "cmdline", "fdinfo/7", "task/4712/status".
  Result<std::string> ReadText(pid_t pid, const std::string& name) const;
  Result<OwnedFd> Open(pid_t pid, const std::string& name, int flags) const;

  bool Exists(pid_t pid) const;
  Result<std::vector<pid_t>> Processes() const;
  // Thread ids, the main thread's first.
  Result<std::vector<pid_t>> Threads(pid_t pid) const;
  // Its child processes. Complete only while its threads are stopped (CONFIG_PROC_CHILDREN of the
  // kernel, or a scan of all processes).
  Result<std::vector<pid_t>> Children(pid_t pid) const;
  // All processes below `pid`, parents before children; `pid` itself is not among them.
  Result<std::vector<pid_t>> Descendants(pid_t pid) const;
  // The same with `pid` itself, first.
  Result<std::vector<pid_t>> Tree(pid_t pid) const;

  Result<Mappings> ReadMappings(pid_t pid) const;
  Result<TaskStatus> ReadStatus(pid_t pid) const;
  Result<TaskStatus> ReadThreadStatus(pid_t pid, pid_t tid) const;
  Result<TaskStat> ReadStat(pid_t pid) const;
  Result<TaskStat> ReadThreadStat(pid_t pid, pid_t tid) const;
  Result<SystemCallState> ReadSystemCall(pid_t pid, pid_t tid) const;

  Result<std::vector<std::string>> ReadArguments(pid_t pid) const;    // cmdline
  Result<std::vector<std::string>> ReadEnvironment(pid_t pid) const;  // environ, as given at exec
  Result<std::vector<std::byte>> ReadAuxiliaryVector(pid_t pid) const;
  Result<std::vector<ResourceLimit>> ReadLimits(pid_t pid) const;

  Result<std::vector<int>> Descriptors(pid_t pid) const;
  // What a link of the process points to: "exe", "cwd", "root", "fd/7".
  Result<std::string> ReadLink(pid_t pid, const std::string& name) const;
  // The mapped file itself, also when it was deleted or replaced on disk: a path for stat(2) and
  // open(2), which need CAP_CHECKPOINT_RESTORE for it.
  std::string MappedFile(pid_t pid, const Mapping& mapping) const;
  Result<OwnedFd> OpenMappedFile(pid_t pid, const Mapping& mapping) const;

  // A kernel thread has no address space: nothing of it can be traced.
  Result<bool> IsKernelThread(pid_t pid) const;

 private:
  Result<std::vector<pid_t>> ChildrenByScan(pid_t pid) const;

  std::string root_;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_SYS_PROCFS_H_
