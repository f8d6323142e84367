#include "tracer/sys/pid_namespace.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace mcr::tracer {
namespace {

uint64_t FieldOf(const std::string& status, std::string_view name) {
  const size_t at = status.find(name);
  return at == std::string::npos ? 0 : strtoull(status.c_str() + at + name.size(), nullptr, 10);
}

// A task may be gone at any time, which is no error: nullopt.
std::optional<TaskActivity> ReadTask(const ProcFs& proc, pid_t pid, pid_t tid) {
  const auto stat = proc.ReadThreadStat(pid, tid);
  const auto status = proc.ReadText(pid, "task/" + std::to_string(tid) + "/status");
  if (!stat || !status || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  TaskActivity task{.pid = pid,
                    .tid = tid,
                    .parent = stat->parent,
                    .start_time = stat->start_time,
                    .name = stat->name,
                    .state = stat->state,
                    .switches = FieldOf(*status, "\nvoluntary_ctxt_switches:")};
  // Last: a task that wakes up between the reads must not look as if it had slept all along.
  if (const auto call = proc.ReadSystemCall(pid, tid); call && !call->running) {
    task.system_call = call->number;
    task.stack_pointer = call->stack_pointer;
  }
  return task;
}

}  // namespace

Result<PidNamespace> PidNamespace::Open(pid_t init) {
  const ProcFs outside;
  MCR_ASSIGN(std::string identity, outside.ReadLink(init, "ns/pid"));
  return PidNamespace(ProcFs(outside.Path(init, "root/proc")), std::move(identity));
}

Result<std::vector<TaskActivity>> PidNamespace::Tasks() const {
  std::vector<TaskActivity> tasks;
  MCR_ASSIGN(const std::vector<pid_t> pids, inside_.Processes());
  for (const pid_t pid : pids) {
    const auto tids = inside_.Threads(pid);
    if (pid == 1 || !tids) continue;
    for (const pid_t tid : *tids) {
      if (auto task = ReadTask(inside_, pid, tid)) tasks.push_back(*std::move(task));
    }
  }
  std::ranges::sort(tasks, {}, &TaskActivity::tid);
  return tasks;
}

Result<pid_t> PidNamespace::OuterPid(pid_t inner) const {
  const ProcFs outside;
  MCR_ASSIGN(const std::vector<pid_t> pids, outside.Processes());
  for (const pid_t pid : pids) {
    const auto identity = outside.ReadLink(pid, "ns/pid");
    if (!identity || *identity != identity_) continue;
    const auto status = outside.ReadStatus(pid);
    if (status && !status->namespace_pids.empty() && status->namespace_pids.back() == inner) {
      return pid;
    }
  }
  return Fail("the process is gone", "PID " + std::to_string(inner) + " of the sandbox");
}

}  // namespace mcr::tracer
