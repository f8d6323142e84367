#include "checkpoint/guardian/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>

#include "checkpoint/guardian/undo_directory.h"
#include "mcr/base/owned_fd.h"
#include "tracer/sys/child.h"
#include "tracer/sys/signal_name.h"

namespace mcr::checkpoint {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kEndTimeout{10};

// What the guardian must outlive: the worker is ended instead.
sigset_t Interruptions() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  return set;
}

// Nobody who waits for the end of a file that mcr has open shall wait for the watcher.
void CloseAllBut(int kept) {
  if (kept > 0) syscall(SYS_close_range, 0u, static_cast<unsigned>(kept - 1), 0u);
  syscall(SYS_close_range, static_cast<unsigned>(kept + 1), ~0u, 0u);
  for (int i = 0; i < 3; ++i) (void)open("/dev/null", O_RDWR);
}

void AwaitEnd(const OwnedFd& process) {
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

// Until the worker has ended, too. Invalid: somebody else has taken care of the log.
OwnedFd LockOfTheDead(const UndoDirectory& directory, const std::string& name, const UndoLog& log) {
  while (directory.OpenLog(name)) {
    HurryWorker(log);
    OwnedFd lock = directory.Lock(name, false);
    if (lock.valid()) return lock;
    std::this_thread::sleep_for(kLook);
  }
  return {};
}

// `locked`: the read end of a pipe that ends when the log is there and locked, or nobody is left to
// make it.
[[noreturn]] void Watch(const OwnedFd& guardian, const std::string& name, int locked) {
  setsid();
  char none;
  while (read(locked, &none, 1) < 0 && errno == EINTR) {
  }
  CloseAllBut(guardian.get());
  AwaitEnd(guardian);
  const auto directory = UndoDirectory::Open();
  if (!directory) _exit(1);
  auto file = directory->OpenLog(name);
  if (!file) _exit(0);  // it has come to its end
  auto log = UndoLog::Open(*std::move(file));
  if (!log) _exit(1);
  const OwnedFd lock = LockOfTheDead(*directory, name, *log);
  if (!lock.valid()) _exit(0);
  std::vector<std::string> warnings;
  if (!log->Refresh() || !Recover(*log, warnings)) _exit(1);
  directory->Remove(name);
  _exit(0);
}

// Its parent is no longer there to be waited for. The watcher begins when the pipe that is returned
// is closed.
Result<OwnedFd> StartWatcher(const std::string& name) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return FailErrno("cannot start the watcher");
  const OwnedFd locked(ends[0]);
  OwnedFd begin(ends[1]);
  const OwnedFd guardian(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!guardian.valid()) return FailErrno("cannot start the watcher");
  const pid_t between = fork();
  if (between < 0) return FailErrno("cannot start the watcher");
  if (between == 0) {
    begin.Reset();
    const pid_t watcher = fork();
    if (watcher == 0) Watch(guardian, name, locked.get());
    _exit(watcher < 0 ? 1 : 0);
  }
  MCR_ASSIGN(tracer::Child child, tracer::Child::Own(between));
  if (!child.Wait(kEndTimeout) || child.status() != 0) return Fail("cannot start the watcher");
  return begin;
}

// The kernel is to take the worker, and not the server, when memory is short. What the worker
// allocates is bounded by what the machine has to spare.
void LimitMemory(uint64_t most) {
  const OwnedFd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score.valid()) (void)!write(score.get(), "1000", 4);
  if (most == 0) {
    most = static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) *
           static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  const rlimit limit{most, most};
  setrlimit(RLIMIT_DATA, &limit);
}

[[noreturn]] void Work(pid_t guardian, const GuardLimits& limits,
                       const std::function<int(UndoLog&)>& work, UndoLog& log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guardian) _exit(1);  // it has died already
  const sigset_t interruptions = Interruptions();
  sigprocmask(SIG_UNBLOCK, &interruptions, nullptr);
  LimitMemory(limits.memory);
  (void)log.Append(UndoKind::kWorker, getpid());
  std::exit(work(log));
}

std::string HowItEnded(const tracer::Child& worker) {
  if (worker.end() == CLD_EXITED) return "the worker ended in the middle";
  return "the worker was killed by " + tracer::SignalName(worker.status());
}

// The worker's time: in all, and with the server stopped, be it in the pause or held before it.
class Limits {
 public:
  explicit Limits(const GuardLimits& limits) : limits_(limits) {}

  // What it has exceeded; "" if nothing.
  std::string Exceeded(const UndoLog& log) {
    const Clock::time_point now = Clock::now();
    if (now - began_ > limits_.total) return "the worker took too long";
    const bool stopped = log.Has(UndoKind::kPause) || log.Has(UndoKind::kProcess);
    if (!stopped || log.Has(UndoKind::kSettled)) {
      stopped_.reset();
      return "";
    }
    if (!stopped_) stopped_ = now;
    return now - *stopped_ > limits_.pause ? "the pause took too long" : "";
  }

 private:
  const GuardLimits limits_;
  const Clock::time_point began_ = Clock::now();
  std::optional<Clock::time_point> stopped_;
};

// Returns when the worker is dead: why it was ended, "" if by itself.
std::string Await(tracer::Child& worker, UndoLog& log, Limits limits) {
  const sigset_t interruptions = Interruptions();
  std::string reason;
  while (!worker.Wait(kLook)) {
    const timespec none{};
    if (sigtimedwait(&interruptions, nullptr, &none) > 0) reason = "interrupted";
    (void)log.Refresh();
    if (reason.empty()) reason = limits.Exceeded(log);
    if (!reason.empty()) worker.Kill();
    HurryWorker(log);
  }
  return reason;
}

bool IsComplete(const tracer::Child& worker, const UndoLog& log) {
  return worker.end() == CLD_EXITED &&
         (log.Has(UndoKind::kSettled) || !log.Has(UndoKind::kProcess));
}

// A log with a name, and the lock that tells everybody that its update goes on.
struct NamedLog {
  UndoDirectory directory;
  std::string name;
  OwnedFd lock;
  UndoLog log;
};

Result<NamedLog> MakeLog() {
  MCR_ASSIGN(UndoDirectory directory, UndoDirectory::Open());
  std::string name = "undo-" + std::to_string(getpid());
  // First, so that there is no log that nobody would take away.
  MCR_ASSIGN(OwnedFd watcher, StartWatcher(name));
  MCR_TRY(directory.Create(name));
  OwnedFd lock = directory.Lock(name, false);
  if (!lock.valid()) return Fail("another mcr has the undo log", name);
  watcher.Reset();
  MCR_ASSIGN(OwnedFd file, directory.OpenLog(name));
  MCR_ASSIGN(UndoLog log, UndoLog::Create(std::move(file)));
  return NamedLog{std::move(directory), std::move(name), std::move(lock), std::move(log)};
}

Result<GuardedEnd> Guard(tracer::Child worker, UndoLog& log, const GuardLimits& limits) {
  GuardedEnd end;
  end.interruption = Await(worker, log, Limits(limits));
  end.status = worker.status();
  MCR_TRY(log.Refresh());
  if (end.interruption.empty() && IsComplete(worker, log)) return end;
  if (end.interruption.empty()) end.interruption = HowItEnded(worker);
  MCR_ASSIGN(end.recovered, Recover(log, end.warnings));
  return end;
}

}  // namespace

Result<GuardedEnd> RunGuarded(const GuardLimits& limits,
                              const std::function<int(UndoLog& log)>& work) {
  Result<NamedLog> made = MakeLog();
  if (!made) return GuardedEnd{.interruption = made.error().Line()};
  const sigset_t interruptions = Interruptions();
  sigprocmask(SIG_BLOCK, &interruptions, nullptr);
  const pid_t guardian = getpid();
  const pid_t worker = fork();
  if (worker < 0)
    return GuardedEnd{.interruption = FailErrno("cannot start the worker").value().Line()};
  if (worker == 0) Work(guardian, limits, work, made->log);
  MCR_ASSIGN(tracer::Child child, tracer::Child::Own(worker));
  Result<GuardedEnd> end = Guard(std::move(child), made->log, limits);
  if (end) made->directory.Remove(made->name);
  return end;
}

}  // namespace mcr::checkpoint
