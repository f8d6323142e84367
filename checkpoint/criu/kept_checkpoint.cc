#include "checkpoint/criu/kept_checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "checkpoint/criu/criu_log.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/run.h"

namespace mcr::checkpoint {
namespace {

constexpr char kLogFile[] = "restore.log";

Status CopyAll(int from, int to, const std::string& name) {
  struct stat status;
  if (fstat(from, &status) != 0) return FailErrno("cannot read the checkpoint's file", name);
  for (off_t left = status.st_size; left > 0;) {
    const ssize_t copied = sendfile(to, from, nullptr, static_cast<size_t>(left));
    if (copied <= 0) return FailErrno("cannot keep the checkpoint's file", name);
    left -= copied;
  }
  return {};
}

Status CheckPrivate(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return FailErrno("no checkpoint", path);
  constexpr mode_t kOthers = 077;
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & kOthers) != 0) {
    return Fail("the checkpoint could be another's", path, "it must be a directory of mode 0700");
  }
  return {};
}

// CRIU makes the tasks under their ids, which a process that was killed keeps until its parent has
// asked for its end. Whose are in use after that, CRIU says.
void AwaitEnds(const std::vector<std::string>& names) {
  constexpr std::chrono::milliseconds kPatience{2000}, kBetweenLooks{10};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const tracer::ProcFs procfs;
  for (const std::string& name : names) {
    pid_t task = 0;
    if (sscanf(name.c_str(), "core-%d.img", &task) != 1) continue;
    while (procfs.Exists(task) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }
}

}  // namespace

Result<KeptCheckpoint> KeptCheckpoint::Create(const std::string& path) {
  constexpr mode_t kPrivate = 0700;
  if (mkdir(path.c_str(), kPrivate) != 0) {
    return FailErrno("cannot make the directory for the checkpoint", path);
  }
  auto directory = ImageDirectory::Open(path);
  if (!directory) {
    rmdir(path.c_str());
    return tl::make_unexpected(directory.error());
  }
  return KeptCheckpoint(path, *std::move(directory));
}

KeptCheckpoint::~KeptCheckpoint() {
  if (!directory_) return;
  if (const auto names = directory_->Names()) {
    for (const std::string& name : *names) unlinkat(directory_->fd(), name.c_str(), 0);
  }
  rmdir(path_.c_str());
}

Status KeptCheckpoint::Fill(const ImageDirectory& images) {
  const ImageDirectory directory = *std::exchange(directory_, std::nullopt);
  MCR_ASSIGN(const std::vector<std::string> names, images.Names());
  for (const std::string& name : names) {
    MCR_ASSIGN(const OwnedFd from, images.OpenFile(name));
    const OwnedFd to(
        openat(directory.fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to.valid()) return FailErrno("cannot keep the checkpoint's file", name);
    MCR_TRY(CopyAll(from.get(), to.get(), name));
  }
  return {};
}

Status RestoreCheckpoint(const std::string& criu, const std::string& path) {
  MCR_TRY(CheckPrivate(path));
  MCR_ASSIGN(const ImageDirectory directory, ImageDirectory::Open(path));
  Status restored = RestoreImages(criu, directory);
  if (!restored) restored.error().where = path;
  return restored;
}

// As they were dumped (criu_dump.cc).
Status RestoreImages(const std::string& criu, const ImageDirectory& images) {
  MCR_ASSIGN(const std::vector<std::string> names, images.Names());
  AwaitEnds(names);
  // They may be where no path leads to.
  const std::string path = fmt::format("/proc/{}/fd/{}", getpid(), images.fd());
  MCR_ASSIGN(const int status,
             tracer::RunQuietly({criu, "restore", "--images-dir", path, "--log-file", kLogFile,
                                 "--restore-detached", "--tcp-established", "--ext-unix-sk",
                                 "--evasive-devices", "--shell-job", "--file-locks",
                                 "--manage-cgroups=ignore", "--network-lock", "skip"}));
  if (status == 0) return {};
  const auto log = images.ReadFile(kLogFile);
  return Fail("CRIU cannot restore the server: " +
                  (log ? FindCriuError(*log, 0) : "exit status " + std::to_string(status)),
              "", "its processes must have ended, and its files be as they were");
}

}  // namespace mcr::checkpoint
