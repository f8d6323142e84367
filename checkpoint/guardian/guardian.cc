#include "checkpoint/guardian/guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
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

// Until the other end says something, or is gone.
void Await(int socket) {
  char none;
  while (read(socket, &none, 1) < 0 && errno == EINTR) {
  }
}

// `guardian` says something when the log is there and locked.
[[noreturn]] void Watch(int guardian, const std::string& name) {
  setsid();
  Await(guardian);
  CloseAllBut(guardian);
  Await(guardian);
  const auto directory = UndoDirectory::Open();
  if (!directory) _exit(1);
  const OwnedFd lock = AwaitLock(*directory, name, Clock::time_point::max());
  if (!lock.valid()) _exit(0);  // the guardian has come to its end
  std::vector<std::string> warnings;
  auto log = OpenLog(*directory, name);
  if (!log || !Recover(*log, warnings)) _exit(1);
  directory->Remove(name);
  _exit(0);
}

// Its parent is no longer there to be waited for. The guardian's end of the socket to it is
// returned.
Result<OwnedFd> StartWatcher(const std::string& name) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return FailErrno("cannot start the watcher");
  }
  const OwnedFd theirs(ends[0]);
  OwnedFd ours(ends[1]);
  const pid_t between = fork();
  if (between < 0) return FailErrno("cannot start the watcher");
  if (between == 0) {
    ours.Reset();
    const pid_t watcher = fork();
    if (watcher == 0) Watch(theirs.get(), name);
    _exit(watcher < 0 ? 1 : 0);
  }
  MCR_ASSIGN(tracer::Child child, tracer::Child::Own(between));
  if (!child.Wait(kEndTimeout) || child.status() != 0) return Fail("cannot start the watcher");
  return ours;
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

// A log with a name, and the lock that tells everybody that its update goes on.
struct NamedLog {
  UndoDirectory directory;
  std::string name;
  OwnedFd lock;
  UndoLog log;
  OwnedFd watcher;  // a socket
};

[[noreturn]] void Work(pid_t guardian, const GuardLimits& limits,
                       const std::function<int(UndoLog&)>& work, NamedLog& made) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guardian) _exit(1);  // it has died already
  const sigset_t interruptions = Interruptions();
  sigprocmask(SIG_UNBLOCK, &interruptions, nullptr);
  LimitMemory(limits.memory);
  made.watcher.Reset();  // it waits for the guardian
  (void)made.log.Append(UndoKind::kWorker, getpid());
  std::exit(work(made.log));
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

Result<NamedLog> MakeLog() {
  MCR_ASSIGN(UndoDirectory directory, UndoDirectory::Open());
  std::string name = "undo-" + std::to_string(getpid());
  // First, so that there is no log that nobody would take away.
  MCR_ASSIGN(OwnedFd watcher, StartWatcher(name));
  MCR_TRY(directory.Create(name));
  OwnedFd lock = directory.Lock(name);
  if (!lock.valid()) return Fail("another mcr has the undo log", name);
  if (send(watcher.get(), "", 1, MSG_NOSIGNAL) != 1) return FailErrno("the watcher is gone");
  MCR_ASSIGN(OwnedFd file, directory.OpenLog(name));
  MCR_ASSIGN(UndoLog log, UndoLog::Create(std::move(file)));
  return NamedLog{std::move(directory), std::move(name), std::move(lock), std::move(log),
                  std::move(watcher)};
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
  if (worker == 0) Work(guardian, limits, work, *made);
  MCR_ASSIGN(tracer::Child child, tracer::Child::Own(worker));
  Result<GuardedEnd> end = Guard(std::move(child), made->log, limits);
  if (!end) return end;
  made->directory.Remove(made->name);
  shutdown(made->watcher.get(), SHUT_WR);
  Await(made->watcher.get());  // nothing of mcr is left
  return end;
}

}  // namespace mcr::checkpoint
