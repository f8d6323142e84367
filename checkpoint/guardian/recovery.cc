#include "checkpoint/guardian/recovery.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "checkpoint/graft/undo.h"
#include "mcr/base/owned_fd.h"
#include "tracer/quiesce/restart.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/ptrace.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

using tracer::ProcFs;
using tracer::TaskGroup;

// CRIU is given a minute for a dump, and puts the tasks back when it notices that nobody waits.
constexpr std::chrono::seconds kTracerPatience{70};
constexpr std::chrono::milliseconds kTracerInterval{1};
constexpr std::chrono::milliseconds kLockInterval{10};

std::string Text(const UndoLog::Record& record) {
  return {reinterpret_cast<const char*>(record.data.data()), record.data.size()};
}

// Those of the log that still are who they were.
std::vector<pid_t> LivingProcesses(const UndoLog& log) {
  std::vector<pid_t> pids;
  for (const UndoLog::Record& record : log.Records()) {
    if (record.kind != UndoKind::kProcess) continue;
    const auto marks = record.As<ProcessMark>();
    const auto stat = ProcFs().ReadStat(record.id);
    if (marks.empty() || !stat || stat->start_time != marks[0].start_time) continue;
    if (stat->state != 'Z' && stat->state != 'X') pids.push_back(record.id);
  }
  return pids;
}

bool IsTraced(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    const auto tids = ProcFs().Threads(pid);
    if (!tids) continue;
    for (const pid_t tid : *tids) {
      const auto status = ProcFs().ReadThreadStatus(pid, tid);
      if (status && status->tracer != 0) return true;
    }
  }
  return false;
}

// The kernel lets go of a dead tracer's tasks a moment after it has closed its files.
Status AwaitTracer(const std::vector<pid_t>& pids) {
  const auto deadline = std::chrono::steady_clock::now() + kTracerPatience;
  while (IsTraced(pids)) {
    if (std::chrono::steady_clock::now() > deadline) {
      return Fail("the server is traced by another program", "",
                  "run `mcr restore` when it is not");
    }
    std::this_thread::sleep_for(kTracerInterval);
  }
  return {};
}

Status WriteTo(const std::string& path, const std::string& text) {
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto size = static_cast<ssize_t>(text.size());
  if (!file.valid() || write(file.get(), text.data(), text.size()) != size) {
    return FailErrno("cannot write to the cgroup", path);
  }
  return {};
}

void Thaw(const UndoLog& log) {
  for (const UndoLog::Record& record : log.Records()) {
    if (record.kind == UndoKind::kCgroup) (void)WriteTo(Text(record) + "/cgroup.freeze", "0");
  }
}

// What was forked since goes where the first of them was.
void LeaveCgroup(const UndoLog& log) {
  std::string cgroup, home;
  std::map<pid_t, std::string> origins;
  for (const UndoLog::Record& record : log.Records()) {
    if (record.kind == UndoKind::kCgroup) cgroup = Text(record);
    if (record.kind != UndoKind::kOrigin) continue;
    if (home.empty()) home = Text(record);
    origins[record.id] = Text(record);
  }
  const auto pids = ProcFs().Processes();
  if (cgroup.empty() || !pids) return;
  const std::string name = cgroup.substr(cgroup.rfind('/'));
  for (const pid_t pid : *pids) {
    const auto text = ProcFs().ReadText(pid, "cgroup");
    if (!text || text->find(name + "\n") == std::string::npos) continue;
    const auto origin = origins.find(pid);
    const std::string& to = origin == origins.end() ? home : origin->second;
    (void)WriteTo(to + "/cgroup.procs", std::to_string(pid));
  }
  rmdir(cgroup.c_str());
}

Status UndoOrFinish(TaskGroup& group, UndoLog& log, std::vector<std::string>& warnings) {
  if (log.Has(UndoKind::kCommitted)) {
    FinishGraft(group, log, warnings);
  } else {
    MCR_TRY(EndAllocations(group, log));
    MCR_TRY(UndoGraft(group, log));
  }
  // From here on the tasks may run, and what the log says is of the past.
  return log.Append(UndoKind::kSettled);
}

// A process that is not held runs: it was let go before it was touched, or after. No thread must
// see that it was stopped.
Status KeepRunning(TaskGroup& group, const UndoLog& log) {
  for (const tracer::TracedProcess& process : group.processes()) {
    for (const auto& task : process.tasks) MCR_TRY(tracer::HideStop(*task));
  }
  return PutMasksBack(group, log);
}

Status RecoverTasks(UndoLog& log, std::vector<std::string>& warnings) {
  const std::vector<pid_t> pids = LivingProcesses(log);
  if (pids.empty()) return {};
  MCR_TRY(AwaitTracer(pids));
  Thaw(log);
  MCR_ASSIGN(TaskGroup group, TaskGroup::Reattach(pids));
  if (group.IsHeld() && !log.Has(UndoKind::kSettled)) MCR_TRY(UndoOrFinish(group, log, warnings));
  MCR_TRY(KeepRunning(group, log));
  MCR_TRY(group.Release());
  MCR_TRY(tracer::RestoreInterruptibility(group));
  return group.DetachAll();
}

bool IsDying(pid_t pid) {
  const auto status = ProcFs().ReadStatus(pid);
  if (!status) return false;
  const uint64_t pending = status->pending_signals | status->shared_pending_signals;
  return status->state == 'Z' || (pending & tracer::SignalBit(SIGKILL)) != 0;
}

}  // namespace

void HurryWorker(const UndoLog& log) {
  for (const UndoLog::Record& record : log.Records()) {
    if (record.kind != UndoKind::kWorker || !IsDying(record.id)) continue;
    const auto tids = ProcFs().Threads(record.id);
    if (!tids) continue;
    const sched_param none{};
    for (const pid_t tid : *tids) sched_setscheduler(tid, SCHED_OTHER, &none);
  }
}

Result<UndoLog> OpenLog(const UndoDirectory& directory, const std::string& name) {
  MCR_ASSIGN(OwnedFd file, directory.OpenLog(name));
  return UndoLog::Open(std::move(file));
}

OwnedFd AwaitLock(const UndoDirectory& directory, const std::string& name,
                  std::chrono::steady_clock::time_point deadline) {
  while (true) {
    if (const auto log = OpenLog(directory, name)) HurryWorker(*log);
    OwnedFd lock = directory.Lock(name);
    const bool late = std::chrono::steady_clock::now() >= deadline;
    if (lock.valid() || late || !directory.OpenLog(name)) return lock;
    std::this_thread::sleep_for(kLockInterval);
  }
}

Result<Recovered> Recover(UndoLog& log, std::vector<std::string>& warnings) {
  MCR_TRY(RecoverTasks(log, warnings));
  Thaw(log);
  LeaveCgroup(log);
  if (log.Has(UndoKind::kCommitted)) return Recovered::kNew;
  return log.Has(UndoKind::kPause) ? Recovered::kOld : Recovered::kUntouched;
}

std::vector<std::string> RecoverLeftBehind(const UndoDirectory& directory,
                                           std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::string> lines;
  for (const std::string& name : directory.Names()) {
    const OwnedFd lock = AwaitLock(directory, name, deadline);
    if (!lock.valid()) {
      if (patience.count() > 0 && directory.OpenLog(name)) {
        lines.push_back("an update is still at work: " + name);
      }
      continue;
    }
    const auto recover = [&]() -> Result<Recovered> {
      MCR_ASSIGN(UndoLog log, OpenLog(directory, name));
      return Recover(log, lines);
    };
    const Result<Recovered> recovered = recover();
    if (!recovered) {
      lines.push_back(recovered.error().Line());
      continue;
    }
    directory.Remove(name);
    const bool finished = *recovered == Recovered::kNew;
    lines.push_back(std::string("an update that was left behind is ") +
                    (finished ? "finished: the server runs the new version"
                              : "undone: the server runs the old version"));
  }
  return lines;
}

}  // namespace mcr::checkpoint
