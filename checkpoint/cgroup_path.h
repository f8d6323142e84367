// Where a process's cgroup (version 2) is in the file system (cgroups(7), proc_pid_mountinfo(5)).
#ifndef MCR_CHECKPOINT_CGROUP_PATH_H_
#define MCR_CHECKPOINT_CGROUP_PATH_H_

#include <sys/types.h>

#include <string>
#include <string_view>

#include "mcr/base/result.h"

namespace mcr::checkpoint {

// From the texts of /proc/self/mountinfo and /proc/PID/cgroup. Hybrid hosts mount version 2 beside
// version 1, often at /sys/fs/cgroup/unified.
Result<std::string> FindCgroupDirectory(std::string_view mountinfo, std::string_view cgroup);

// The same for a live process.
Result<std::string> CgroupDirectoryOf(pid_t pid);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CGROUP_PATH_H_
