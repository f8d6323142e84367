#include "tracer/rehearsal/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "tracer/rehearsal/init.h"
#include "tracer/rehearsal/mount_table.h"
#include "tracer/sys/procfs.h"

namespace mcr::tracer {
namespace {

using namespace std::chrono_literals;

constexpr auto kSetUpTime = 10s;
constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;

// The paths of a StartRecord are those of the server's mount namespace, which may not be ours (a
// service with a private /tmp, a container). Its mounts are read before: its /proc may be that of a
// PID namespace in which we are not.
Result<std::string> EnterMountNamespaceOf(pid_t pid) {
  const ProcFs proc;
  MCR_ASSIGN(const std::string theirs, proc.ReadLink(pid, "ns/mnt"));
  MCR_ASSIGN(const std::string ours, proc.ReadLink(getpid(), "ns/mnt"));
  if (theirs == ours) return proc.ReadText(getpid(), "mountinfo");
  MCR_ASSIGN(std::string mounts, proc.ReadText(pid, "mountinfo"));
  MCR_ASSIGN(const OwnedFd entrance, proc.Open(pid, "ns/mnt", O_RDONLY));
  if (setns(entrance.get(), CLONE_NEWNS) == 0) return mounts;
  return FailErrno("cannot enter the server's mount namespace", "PID " + std::to_string(pid));
}

// In a child of mcr, which goes on as the sandbox's init in a child of its own.
//
// Why two: unshare(CLONE_NEWPID) takes effect for children only, and doing it in mcr itself would
// put all later children of mcr there. CLONE_PARENT makes init mcr's child all the same.
Result<pid_t> ForkInit(InitOptions& options) {
  const pid_t pid = options.start.pid != 0 ? options.start.pid : getpid();
  MCR_ASSIGN(const std::string mounts, EnterMountNamespaceOf(pid));
  if (unshare(kNamespaces) != 0) {
    return FailErrno("cannot make namespaces for a sandbox", "",
                     "run as root with CAP_SYS_ADMIN; see `mcr check`");
  }
  options.file_system.mounts = ParseMountTable(mounts);
  const long init = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (init < 0) return FailErrno("cannot fork a sandbox's init process");
  if (init == 0) RunInit(options);
  return static_cast<pid_t>(init);
}

[[noreturn]] void ForkInitAndExit(InitOptions& options, int report) {
  const Result<pid_t> init = ForkInit(options);
  if (init) {
    Send(report, {.kind = MessageKind::kInit, .value = *init});
  } else {
    SendError(report, init.error());
  }
  _exit(0);
}

Result<Message> Await(int channel) {
  MCR_ASSIGN(std::optional<Message> message, Receive(channel, kSetUpTime));
  if (!message) return Fail("the sandbox is not ready after 10 s");
  if (message->kind == MessageKind::kFailed) return tl::make_unexpected(ErrorOf(*message));
  return *std::move(message);
}

Result<Child> StartInit(InitOptions& options) {
  MCR_ASSIGN(Channel report, OpenChannel());
  const pid_t helper = fork();
  if (helper < 0) return FailErrno("cannot fork");
  if (helper == 0) ForkInitAndExit(options, report.inside.get());
  report.inside.Reset();
  const Result<Message> started = Await(report.outside.get());
  AwaitChild(helper);
  if (!started) return tl::make_unexpected(started.error());
  return Child::Own(started->value);
}

// What a fresh start must not find.
std::vector<std::string> ToRemove(const StartRecord& start) {
  std::vector<std::string> paths = start.sockets;
  paths.insert(paths.end(), start.data_set.begin(), start.data_set.end());
  return paths;
}

// Text that survives in a single line of a terminal.
std::string Printable(std::string_view line) {
  std::string printable;
  for (const char c : line) printable += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return printable;
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::Start(const StartRecord& start,
                                                const std::string& program,
                                                std::vector<Replacement> replacements) {
  if (!start.executable.starts_with('/')) return Fail("not an absolute path", start.executable);
  replacements.push_back({start.executable, program});
  std::vector<TakenFile> files;
  for (const Replacement& replacement : replacements) {
    MCR_ASSIGN(TakenFile taken, TakeFile(replacement));
    files.push_back(std::move(taken));
  }
  MCR_ASSIGN(Channel channel, OpenChannel());
  OwnedFd output(memfd_create("output", MFD_CLOEXEC));
  if (!output.valid()) return FailErrno("cannot make a file in memory");
  // Both streams append, whatever the program does with one of them.
  if (fcntl(output.get(), F_SETFL, O_APPEND) != 0)
    return FailErrno("cannot set up a file in memory");
  InitOptions options{.start = start,
                      .file_system = {.files = std::move(files),
                                      .remove = ToRemove(start),
                                      .empty_files = start.logs},
                      .network = ReadNetworkParameters(),
                      .channel = channel.inside.get(),
                      .output = output.get()};
  MCR_ASSIGN(Child init, StartInit(options));
  channel.inside.Reset();
  Result<Message> running = Await(channel.outside.get());
  if (!running) {
    // Inside it has another name.
    if (running.error().where.empty()) running.error().where = program;
    return tl::make_unexpected(std::move(running.error()));
  }
  return std::unique_ptr<Sandbox>(
      new Sandbox(std::move(channel.outside), std::move(output), std::move(init)));
}

Result<std::optional<Message>> Sandbox::Poll() { return Receive(channel_.get(), 0ms); }

std::string Sandbox::LastOutput() const {
  struct stat status;
  if (fstat(output_.get(), &status) != 0) return {};
  std::array<char, 1024> tail;
  const off_t from = std::max<off_t>(0, status.st_size - static_cast<off_t>(tail.size()));
  const ssize_t count = pread(output_.get(), tail.data(), tail.size(), from);
  if (count <= 0) return {};
  std::string_view text(tail.data(), static_cast<size_t>(count));
  while (text.ends_with('\n')) text.remove_suffix(1);
  return Printable(text.substr(text.rfind('\n') + 1));
}

}  // namespace mcr::tracer
