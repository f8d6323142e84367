#include "checkpoint/criu/criu_dump.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "checkpoint/criu/criu_log.h"
#include "checkpoint/criu/image_file.h"
#include "tracer/sys/affinity.h"

namespace mcr::checkpoint {
namespace {

constexpr char kLogFile[] = "dump.log";
constexpr uint32_t kGhostLimit = 64 << 20;  // bytes of a deleted file that is still open

// Only async-signal-safe calls: the caller may have threads.
[[noreturn]] void ExecCriu(const char* criu, int socket) {
  // CRIU talks on descriptor 3; what it prints before its log is open is of no use to anyone.
  const int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(127);
  if (socket == 3) {
    fcntl(socket, F_SETFD, 0);
  } else if (dup2(socket, 3) < 0) {
    _exit(127);
  }
  // Ctrl-C must not end CRIU while its code is in the server.
  setsid();
  execl(criu, criu, "swrk", "3", static_cast<char*>(nullptr));
  _exit(127);
}

Result<tracer::Child> Spawn(const CriuDumpOptions& options, OwnedFd socket) {
  const std::string& criu = options.criu;
  if (access(criu.c_str(), X_OK) != 0) return FailErrno("cannot run CRIU", criu, "install criu");
  const pid_t pid = fork();
  if (pid < 0) return FailErrno("cannot start CRIU", criu);
  if (pid == 0) {
    if (options.processors) tracer::MoveTo(*options.processors);
    ExecCriu(criu.c_str(), socket.get());
  }
  return tracer::Child::Own(pid);
}

}  // namespace

CriuDump::CriuDump(const CriuDumpOptions& options, const ImageDirectory& directory,
                   RpcSocket socket, tracer::Child child)
    : options_(options),
      directory_(directory),
      socket_(std::move(socket)),
      child_(std::move(child)) {}

Result<std::unique_ptr<CriuDump>> CriuDump::Start(const CriuDumpOptions& options,
                                                  const ImageDirectory& directory) {
  MCR_ASSIGN(auto ends, RpcSocket::CreatePair());
  MCR_ASSIGN(tracer::Child child, Spawn(options, std::move(ends.second)));
  std::unique_ptr<CriuDump> dump(
      new CriuDump(options, directory, std::move(ends.first), std::move(child)));
  MCR_TRY(dump->Request());
  MCR_TRY(dump->AwaitNotification("pre-dump", options.start_timeout));
  return dump;
}

CriuDump::~CriuDump() {
  if (ending_.valid()) ending_.wait();
  // CRIU takes a closed socket for a failed script and puts everything back.
  socket_.Close();
  if (begun_) (void)AwaitEnd();
}

Status CriuDump::Request() {
  criu::Request request;
  request.set_type(criu::DUMP);
  criu::DumpOptions& dump = *request.mutable_opts();
  dump.set_images_dir_fd(directory_.fd());
  dump.set_pid(options_.root);
  dump.set_leave_running(true);
  dump.set_ext_unix_sk(true);
  dump.set_tcp_established(true);
  // A connection that the server has not accepted yet stays in the listening socket's queue; only a
  // restored server would not have it.
  dump.set_tcp_skip_in_flight(true);
  dump.set_evasive_devices(true);
  dump.set_shell_job(true);
  dump.set_file_locks(true);
  dump.set_link_remap(true);
  dump.set_orphan_pts_master(true);
  dump.set_ghost_limit(kGhostLimit);
  dump.set_manage_cgroups_mode(criu::CGROUP_IGNORE);
  // No packet is lost while the tasks are stopped: the sockets stay with them.
  dump.set_network_lock(criu::NETWORK_LOCK_SKIP);
  dump.set_freeze_cgroup(options_.freeze_cgroup);
  dump.set_timeout(static_cast<uint32_t>(options_.dump_timeout.count() / 1000 + 1));
  dump.set_notify_scripts(true);
  dump.set_log_level(1);  // errors: the rest costs time in the pause
  dump.set_log_file(kLogFile);
  return socket_.Send(request);
}

tl::unexpected<Error> CriuDump::Explain(Error error) const {
  if (const auto log = directory_.ReadFile(kLogFile); log.has_value()) {
    if (const std::string line = FindCriuError(*log, log_begin_); !line.empty()) {
      error.what += ": " + line;
    }
  }
  if (error.where.empty()) error.where = "PID " + std::to_string(options_.root);
  return tl::make_unexpected(std::move(error));
}

Status CriuDump::AwaitNotification(const std::string& script, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    auto response = socket_.Receive(std::max(left, std::chrono::milliseconds(0)));
    if (!response.has_value()) return Explain(std::move(response.error()));
    if (response->type() != criu::NOTIFY) {
      return Explain({.what = "CRIU refuses the dump", .where = {}, .advice = {}});
    }
    if (response->notify().script() == script) return {};
    MCR_TRY(Acknowledge());
  }
}

Status CriuDump::Acknowledge() {
  criu::Request request;
  request.set_type(criu::NOTIFY);
  request.set_notify_success(true);
  return socket_.Send(request);
}

Status CriuDump::Begin() {
  if (const auto log = directory_.ReadFile(kLogFile); log.has_value()) log_begin_ = log->size();
  begun_ = true;
  MCR_TRY(Acknowledge());
  ending_ = std::async(std::launch::async, [this] { return AwaitDump(); });
  return {};
}

Status CriuDump::AwaitEnd() {
  if (!child_.Wait(options_.dump_timeout)) {
    return Fail("CRIU does not end", "PID " + std::to_string(child_.pid()));
  }
  begun_ = false;
  return {};
}

Result<criu::DumpStats> CriuDump::Finish() { return ending_.get(); }

Result<criu::DumpStats> CriuDump::AwaitDump() {
  MCR_TRY(AwaitNotification("post-dump", options_.dump_timeout));
  MCR_TRY(Acknowledge());
  auto response = socket_.Receive(options_.dump_timeout);
  if (!response.has_value()) return Explain(std::move(response.error()));
  if (!response->success()) {
    return Explain({.what = "CRIU cannot dump the server", .where = {}, .advice = {}});
  }
  begun_ = false;
  MCR_ASSIGN(const std::string image, directory_.ReadFile("stats-dump"));
  MCR_ASSIGN(const auto messages, SplitImage(image, ImageKind::kStats, "stats-dump"));
  criu::Stats stats;
  if (messages.empty() || !ParseMessage(messages[0], stats)) {
    return Fail("CRIU's statistics cannot be read", "stats-dump");
  }
  return stats.dump();
}

}  // namespace mcr::checkpoint
