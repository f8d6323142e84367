#include "checkpoint/guardian/undo_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

namespace mcr::checkpoint {
namespace {

constexpr mode_t kPrivate = 0700;
constexpr char kPrefix[] = "undo-";

Result<OwnedFd> OpenDirectory(const std::string& path) {
  OwnedFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) return FailErrno("cannot open the directory of undo logs", path);
  return directory;
}

bool IsInMemory(const OwnedFd& directory) {
  struct statfs file_system;
  return fstatfs(directory.get(), &file_system) == 0 && file_system.f_type == TMPFS_MAGIC;
}

// A log must not wait for a disk, nor be on one: it holds a server's memory.
Status MountOn(const std::string& path) {
  if (mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
    return FailErrno("cannot mount a tmpfs for undo logs", path, "run as root");
  }
  return {};
}

}  // namespace

Result<UndoDirectory> UndoDirectory::Open(const std::string& path) {
  if (mkdir(path.c_str(), kPrivate) != 0 && errno != EEXIST) {
    return FailErrno("cannot make the directory of undo logs", path, "run as root");
  }
  MCR_ASSIGN(OwnedFd directory, OpenDirectory(path));
  if (!IsInMemory(directory)) {
    MCR_TRY(MountOn(path));
    MCR_ASSIGN(directory, OpenDirectory(path));
  }
  struct stat status;
  const bool ours = fstat(directory.get(), &status) == 0 && status.st_uid == geteuid() &&
                    (status.st_mode & 07777) == kPrivate;
  if (!ours || !IsInMemory(directory)) {
    return Fail("the directory of undo logs is not private", path, "remove it");
  }
  return UndoDirectory(std::move(directory));
}

std::vector<std::string> UndoDirectory::Names() const {
  std::vector<std::string> names;
  DIR* entries = fdopendir(openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries == nullptr) return names;
  while (const dirent* entry = readdir(entries)) {
    if (std::string(entry->d_name).starts_with(kPrefix)) names.push_back(entry->d_name);
  }
  closedir(entries);
  return names;
}

Status UndoDirectory::Create(const std::string& name) const {
  const OwnedFd file(
      openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return FailErrno("cannot make an undo log", name);
  return {};
}

OwnedFd UndoDirectory::Lock(const std::string& name) const {
  OwnedFd file(openat(fd_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return {};
  struct stat status;
  // Who had the lock before may have removed the file.
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 || fstat(file.get(), &status) != 0 ||
      status.st_nlink == 0)
    return {};
  return file;
}

Result<OwnedFd> UndoDirectory::OpenLog(const std::string& name) const {
  OwnedFd file(openat(fd_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot open the undo log", name);
  return file;
}

void UndoDirectory::Remove(const std::string& name) const { unlinkat(fd_.get(), name.c_str(), 0); }

}  // namespace mcr::checkpoint
