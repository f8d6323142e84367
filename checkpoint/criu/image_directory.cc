#include "checkpoint/criu/image_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mcr::checkpoint {

Result<ImageDirectory> ImageDirectory::CreatePrivate() {
  OwnedFd context(fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context.valid())
    return FailErrno("cannot open a tmpfs for the checkpoint", "", "run as root");
  // Linux 6.4; on older kernels the checkpoint may be swapped out like the server itself.
  (void)fsconfig(context.get(), FSCONFIG_SET_FLAG, "noswap", nullptr, 0);
  if (fsconfig(context.get(), FSCONFIG_SET_STRING, "mode", "0700", 0) != 0 ||
      fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return FailErrno("cannot make a tmpfs for the checkpoint");
  }
  OwnedFd mount(fsmount(context.get(), FSMOUNT_CLOEXEC,
                        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (!mount.valid()) return FailErrno("cannot mount a tmpfs for the checkpoint");
  // What fsmount returns is an O_PATH descriptor.
  OwnedFd directory(openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FailErrno("cannot open the checkpoint's tmpfs");
  return ImageDirectory(std::move(directory));
}

Result<ImageDirectory> ImageDirectory::Open(const std::string& path) {
  OwnedFd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return FailErrno("cannot open the checkpoint directory", path);
  return ImageDirectory(std::move(directory));
}

Result<std::vector<std::string>> ImageDirectory::Names() const {
  DIR* entries = fdopendir(openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (entries == nullptr) return FailErrno("cannot list the checkpoint directory");
  std::vector<std::string> names;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(entries);
  return names;
}

Result<OwnedFd> ImageDirectory::OpenFile(const std::string& name) const {
  OwnedFd file(openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot open the checkpoint's file", name);
  return file;
}

Result<std::string> ImageDirectory::ReadFile(const std::string& name, size_t limit) const {
  MCR_ASSIGN(const OwnedFd file, OpenFile(name));
  struct stat status;
  if (fstat(file.get(), &status) != 0) return FailErrno("cannot read the checkpoint's file", name);
  if (static_cast<uint64_t>(status.st_size) > limit) {
    return Fail("the checkpoint's file is too large", name);
  }
  std::string text(static_cast<size_t>(status.st_size), '\0');
  const ssize_t count = pread(file.get(), text.data(), text.size(), 0);
  if (count < 0) return FailErrno("cannot read the checkpoint's file", name);
  text.resize(static_cast<size_t>(count));
  return text;
}

Status ImageDirectory::WriteFile(const std::string& name, std::string_view bytes) const {
  const OwnedFd file(
      openat(fd_.get(), name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) return FailErrno("cannot write the checkpoint's file", name);
  while (!bytes.empty()) {
    const ssize_t count = write(file.get(), bytes.data(), bytes.size());
    if (count < 0) return FailErrno("cannot write the checkpoint's file", name);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace mcr::checkpoint
