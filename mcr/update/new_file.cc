#include "mcr/update/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <utility>

namespace mcr::update {
namespace {

constexpr mode_t kPermissions = 07777;

Status CheckWriters(const struct stat& info, uid_t owner, const std::string& path) {
  const bool trusted_owner = info.st_uid == 0 || info.st_uid == owner;
  // With an access control list, the group's bits say what is granted to anybody in it (acl(5)).
  const bool group_writes = (info.st_mode & S_IWGRP) != 0 && info.st_gid != 0;
  if (trusted_owner && !group_writes && (info.st_mode & S_IWOTH) == 0) return {};
  return Fail(fmt::format("others than root and the server's user can write to the new version: it "
                          "belongs to uid {}, gid {}, mode {:04o}",
                          info.st_uid, info.st_gid, info.st_mode & kPermissions),
              path, "chown it to root, and chmod go-w");
}

}  // namespace

Result<NewFile> NewFile::Open(const std::string& path, uid_t owner) {
  NewFile file;
  // Opening a FIFO would wait for somebody to write to it.
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno("cannot open the new version", path, "check --to");
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return FailErrno("cannot look at the new version", path);
  if (!S_ISREG(info.st_mode))
    return Fail("the new version is not a regular file", path, "check --to");
  file.file_ = fmt::format("/proc/self/fd/{}", fd.get());
  std::error_code failed;
  file.path_ = std::filesystem::read_symlink(file.file_, failed);
  if (failed) return Fail("cannot tell where the new version lies", path, "is /proc mounted?");
  file.fd_ = std::make_shared<const OwnedFd>(std::move(fd));
  MCR_TRY(CheckWriters(info, owner, file.path_));
  return file;
}

Status NewFile::CheckExecutable() const {
  struct stat info;
  if (fstat(fd_->get(), &info) == 0 && (info.st_mode & 0111) != 0) return {};
  return Fail("the new program is not executable", path_, "check --to, or chmod +x");
}

}  // namespace mcr::update
