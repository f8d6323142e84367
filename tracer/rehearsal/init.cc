#include "tracer/rehearsal/init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tracer/rehearsal/channel.h"
#include "tracer/rehearsal/launch.h"
#include "tracer/sys/child.h"

namespace mcr::tracer {
namespace {

// Open, so that their numbers are not given out again.
void SilenceStandardStreams() {
  const OwnedFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) dup2(null.get(), fd);
}

// mcr's other descriptors came along with the fork, pipes and sockets among them that others watch.
void CloseAllBut(std::vector<int> keep) {
  std::ranges::sort(keep);
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : keep) {
    if (static_cast<unsigned>(fd) > from) close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range(from, ~0U, 0);
}

Status SetUp(const InitOptions& options) {
  MCR_TRY(EnterFileSystem(options.file_system));
  MCR_TRY(SetUpNetwork(options.network, options.start.addresses));
  return SealKernelParameters();
}

// The channel to mcr cannot tell that the exec went well; this one does, by closing.
Result<pid_t> StartProgram(const InitOptions& options) {
  MCR_ASSIGN(Channel report, OpenChannel());
  const pid_t program = fork();
  if (program < 0) return FailErrno("cannot fork in the sandbox");
  if (program == 0) {
    SendError(report.inside.get(), Launch(options.start, options.output));
    _exit(127);
  }
  report.inside.Reset();
  const auto message = Receive(report.outside.get(), std::chrono::hours(1));
  if (message && message->has_value()) return tl::make_unexpected(ErrorOf(**message));
  return program;
}

void ReportEnded(int channel, pid_t program) {
  while (const auto ended = ReapAnyChild()) {
    Send(channel, {.kind = ended->pid == program ? MessageKind::kExited : MessageKind::kOrphan,
                   .value = ended->status});
  }
}

// Until mcr closes its end of the channel, or is gone.
void ServeUntilHangup(int channel, int signals, pid_t program) {
  ReportEnded(channel, program);
  for (;;) {
    pollfd ready[] = {{.fd = channel, .events = POLLIN, .revents = 0},
                      {.fd = signals, .events = POLLIN, .revents = 0}};
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents != 0) return;
    signalfd_siginfo info;
    if (read(signals, &info, sizeof info) > 0) ReportEnded(channel, program);
  }
}

// Blocked before the program is started, so that no child's end is missed.
OwnedFd WatchChildren() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  return OwnedFd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

void RunInit(const InitOptions& options) {
  SilenceStandardStreams();
  std::vector<int> keep = {options.channel, options.output};
  for (const TakenFile& taken : options.file_system.files) keep.push_back(taken.file.get());
  CloseAllBut(std::move(keep));
  signal(SIGCHLD, SIG_DFL);
  const OwnedFd signals = WatchChildren();
  const Status ready = SetUp(options);
  if (!ready) {
    SendError(options.channel, ready.error());
    _exit(1);
  }
  const Result<pid_t> program = StartProgram(options);
  if (!program) {
    SendError(options.channel, program.error());
    _exit(1);
  }
  Send(options.channel, {.kind = MessageKind::kRunning});
  ServeUntilHangup(options.channel, signals.get(), *program);
  _exit(0);
}

}  // namespace mcr::tracer
