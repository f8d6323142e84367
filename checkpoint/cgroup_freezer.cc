#include "checkpoint/cgroup_freezer.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <thread>
#include <utility>

#include "checkpoint/cgroup_guard.h"
#include "checkpoint/cgroup_path.h"
#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

Status WriteText(const std::string& path, const std::string& text) {
  const OwnedFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid() ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return FailErrno("cannot write to the cgroup", path);
  }
  return {};
}

Result<std::string> ReadFrom(int fd, const std::string& path) {
  std::string text;
  char buffer[4096];
  ssize_t count;
  while ((count = pread(fd, buffer, sizeof(buffer), static_cast<off_t>(text.size()))) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  if (count < 0) return FailErrno("cannot read from the cgroup", path);
  return text;
}

Result<std::vector<pid_t>> ReadProcesses(const std::string& directory) {
  const std::string path = directory + "/cgroup.procs";
  const OwnedFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot read from the cgroup", path);
  MCR_ASSIGN(const std::string text, ReadFrom(file.get(), path));
  std::istringstream lines(text);
  std::vector<pid_t> pids;
  for (pid_t pid; lines >> pid;) pids.push_back(pid);
  return pids;
}

// ESRCH: the process has ended, and is nowhere.
Status MoveTo(const std::string& directory, pid_t pid) {
  Status moved = WriteText(directory + "/cgroup.procs", std::to_string(pid));
  if (!moved.has_value() && moved.error().os_error == ESRCH) return {};
  return moved;
}

}  // namespace

FrozenCgroup::FrozenCgroup(std::string directory, std::string parent)
    : directory_(std::move(directory)), parent_(std::move(parent)) {}

Result<std::unique_ptr<FrozenCgroup>> FrozenCgroup::Create(const std::vector<pid_t>& pids) {
  if (pids.empty()) return Fail("no process to put into a cgroup");
  MCR_ASSIGN(const std::string parent, CgroupDirectoryOf(pids.front()));
  const std::string directory =
      parent + "/mcr-" + std::to_string(getpid()) + "-" + std::to_string(pids.front());
  if (mkdir(directory.c_str(), 0755) != 0) return FailErrno("cannot make a cgroup", directory);
  std::unique_ptr<FrozenCgroup> cgroup(new FrozenCgroup(directory, parent));
  MCR_TRY(cgroup->StartGuard());
  for (const pid_t pid : pids) MCR_TRY(cgroup->Add(pid));
  return cgroup;
}

Status FrozenCgroup::Add(pid_t pid) {
  Result<std::string> origin = CgroupDirectoryOf(pid);
  // One that is ending may still have its directory in /proc.
  const bool ended = !origin && origin.error().os_error == ESRCH;
  if (ended || (!origin && !tracer::ProcFs().Exists(pid))) return {};
  MCR_ASSIGN(origins_[pid], std::move(origin));
  return MoveTo(directory_, pid);
}

FrozenCgroup::~FrozenCgroup() {
  (void)Close();
  // If that failed, the guard tries.
  guard_pipe_.Reset();
  if (guard_) guard_->Wait(std::chrono::seconds(1));
}

Status FrozenCgroup::StartGuard() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return FailErrno("cannot make a pipe");
  const OwnedFd read_end(ends[0]);
  guard_pipe_ = OwnedFd(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return FailErrno("cannot fork the cgroup's guard");
  if (pid == 0) RunCgroupGuard(read_end.get(), directory_.c_str(), parent_.c_str());
  MCR_ASSIGN(tracer::Child guard, tracer::Child::Own(pid));
  guard_ = std::make_unique<tracer::Child>(std::move(guard));
  return {};
}

Status FrozenCgroup::Freeze(std::chrono::milliseconds timeout) {
  const std::string path = directory_ + "/cgroup.events";
  const OwnedFd events(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!events.valid()) return FailErrno("cannot read from the cgroup", path);
  MCR_TRY(WriteText(directory_ + "/cgroup.freeze", "1"));
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    MCR_ASSIGN(const std::string text, ReadFrom(events.get(), path));
    if (text.find("frozen 1") != std::string::npos) return {};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Fail("the server's cgroup does not freeze", directory_);
    pollfd changed{.fd = events.get(), .events = POLLPRI, .revents = 0};
    poll(&changed, 1, static_cast<int>(left.count()));
  }
}

Status FrozenCgroup::Thaw() { return WriteText(directory_ + "/cgroup.freeze", "0"); }

// A zombie is in no cgroup any more.
Status FrozenCgroup::EndAll(std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kBetweenLooks{1};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    MCR_ASSIGN(const std::vector<pid_t> pids, ReadProcesses(directory_));
    if (pids.empty()) return {};
    if (std::chrono::steady_clock::now() > deadline) {
      return Fail("a process cannot be ended", "PID " + std::to_string(pids.front()));
    }
    for (const pid_t pid : pids) kill(pid, SIGKILL);
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Status FrozenCgroup::MoveBack(const std::vector<pid_t>& pids) const {
  for (const pid_t pid : pids) {
    const auto origin = origins_.find(pid);
    MCR_TRY(MoveTo(origin == origins_.end() ? parent_ : origin->second, pid));
  }
  return {};
}

Status FrozenCgroup::Empty() {
  // Once more for those that were forked meanwhile, into the cgroup and after it was listed.
  for (int attempt = 0; attempt < 3; ++attempt) {
    MCR_ASSIGN(const std::vector<pid_t> pids, ReadProcesses(directory_));
    if (pids.empty()) return {};
    MCR_TRY(MoveBack(pids));
  }
  return {};
}

Status FrozenCgroup::Close() {
  if (!open_) return {};
  open_ = false;
  MCR_TRY(Thaw());
  MCR_TRY(Empty());
  if (rmdir(directory_.c_str()) != 0) return FailErrno("cannot remove the cgroup", directory_);
  if (guard_pipe_.valid()) (void)!write(guard_pipe_.get(), "", 1);
  guard_pipe_.Reset();
  if (guard_) guard_->Wait(std::chrono::seconds(1));
  return {};
}

}  // namespace mcr::checkpoint
