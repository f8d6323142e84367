// What a FrozenCgroup's guard process runs.
#ifndef MCR_CHECKPOINT_CGROUP_GUARD_H_
#define MCR_CHECKPOINT_CGROUP_GUARD_H_

namespace mcr::checkpoint {

// Waits at `pipe`. A byte: all is well. End of file: the parent has died; thaws `cgroup`, moves its
// processes to `parent` and removes it. Runs after fork in a process that may have had threads:
// only async-signal-safe calls, no memory allocation.
[[noreturn]] void RunCgroupGuard(int pipe, const char* cgroup, const char* parent);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CGROUP_GUARD_H_
