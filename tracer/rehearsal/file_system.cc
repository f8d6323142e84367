#include "tracer/rehearsal/file_system.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "tracer/rehearsal/device_directory.h"

namespace mcr::tracer {
namespace {

// Nothing of the old /proc is needed inside, so its place is free for what the sandbox is built
// from.
constexpr const char* kStage = "/proc";
constexpr const char* kNewRoot = "/proc/root";
// An upper bound for everything that a start-up writes; pages are taken only when they are written.
constexpr const char* kStageSize = "size=512m,mode=0755";

// Call it before errno changes.
const char* Advice() {
  return errno == EPERM ? "run as root with CAP_SYS_ADMIN; see `mcr check`" : "";
}

std::string Inside(const std::string& path) { return kNewRoot + (path == "/" ? "" : path); }

Status Mount(const char* source, const std::string& target, const char* type, unsigned long flags,
             const char* options) {
  if (mount(source, target.c_str(), type, flags, options) == 0) return {};
  return FailErrno(std::string("cannot mount ") + type + " in the sandbox", target, Advice());
}

Status MakeStage() {
  // Without this, mounts made here would show up outside.
  if (mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return FailErrno("cannot make the sandbox's mounts private", "/", Advice());
  }
  MCR_TRY(Mount("mcr", kStage, "tmpfs", MS_NOSUID | MS_NODEV, kStageSize));
  if (mkdir(kNewRoot, 0755) != 0) return FailErrno("cannot make a directory", kNewRoot);
  return {};
}

// The root of an overlay has the attributes of its upper directory.
Status MakeUpperDirectory(const std::string& path, const struct stat& like) {
  if (mkdir(path.c_str(), 0700) != 0 || chown(path.c_str(), like.st_uid, like.st_gid) != 0 ||
      chmod(path.c_str(), like.st_mode & 07777) != 0) {
    return FailErrno("cannot make a directory", path);
  }
  return {};
}

// `index` keeps the layers of different mounts apart.
Status MountOverlay(const MountPoint& mount_point, size_t index, const struct stat& like) {
  const std::string layer = std::string(kStage) + "/layer" + std::to_string(index);
  if (mkdir(layer.c_str(), 0755) != 0) return FailErrno("cannot make a directory", layer);
  MCR_TRY(MakeUpperDirectory(layer + "/upper", like));
  MCR_TRY(MakeUpperDirectory(layer + "/work", like));
  // The lower directory is ".", because its path may hold characters that are special in options.
  if (chdir(mount_point.path.c_str()) != 0) return FailErrno("cannot enter", mount_point.path);
  const std::string options = "lowerdir=.,upperdir=" + layer + "/upper,workdir=" + layer + "/work";
  return Mount("overlay", Inside(mount_point.path), "overlay", mount_point.flags, options.c_str());
}

Status BindReadOnly(const MountPoint& mount_point) {
  const std::string target = Inside(mount_point.path);
  MCR_TRY(Mount(mount_point.path.c_str(), target, "bind", MS_BIND, nullptr));
  // A bind mount takes its flags in a second step only.
  return Mount("", target, "bind", MS_REMOUNT | MS_BIND | MS_RDONLY | mount_point.flags, nullptr);
}

// A file cannot have an overlay, and some file systems cannot be the lower layer of one (no d_type,
// a case-insensitive or a remote file system): they can be read.
Status AddMount(const MountPoint& mount_point, size_t index) {
  struct stat like;
  // Hidden below another mount, or not for us (a FUSE mount of another user).
  if (stat(mount_point.path.c_str(), &like) != 0) return {};
  if (mount_point.path == "/") return MountOverlay(mount_point, index, like);
  if (mount_point.writable && S_ISDIR(like.st_mode) && MountOverlay(mount_point, index, like)) {
    return {};
  }
  return BindReadOnly(mount_point);
}

// For mount points: most are there already.
Status EnsureDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return {};
  errno = error.value();
  return FailErrno("cannot make a directory in the sandbox", path);
}

Status AddKernelFileSystems() {
  MCR_TRY(EnsureDirectory(Inside("/proc")));
  MCR_TRY(Mount("proc", Inside("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
  MCR_TRY(EnsureDirectory(Inside("/sys")));
  MCR_TRY(Mount("sysfs", Inside("/sys"), "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                nullptr));
  MCR_TRY(EnsureDirectory(Inside("/dev")));
  return MakeDeviceDirectory(Inside("/dev"));
}

// A copy on the stage, which is mounted, of what cannot be mounted where it is.
Result<OwnedFd> CopyToStage(int from, size_t index) {
  const std::string path = std::string(kStage) + "/file" + std::to_string(index);
  const OwnedFd copy(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  if (!copy.valid()) return FailErrno("cannot make a file", path);
  struct stat status;
  if (fstat(from, &status) != 0) return FailErrno("cannot read a file for the sandbox");
  for (off_t left = status.st_size; left > 0;) {
    const ssize_t sent = sendfile(copy.get(), from, nullptr, static_cast<size_t>(left));
    if (sent <= 0) return FailErrno("cannot copy a file into the sandbox");
    left -= sent;
  }
  OwnedFd mount(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount.valid()) return FailErrno("cannot take a file into a sandbox", path, Advice());
  return mount;
}

Status AddFile(const std::string& target, const OwnedFd& mount) {
  MCR_TRY(EnsureDirectory(std::filesystem::path(target).parent_path()));
  // A link to the new version may have taken the old file's place meanwhile.
  struct stat status;
  if (lstat(target.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) unlink(target.c_str());
  // What is there is only a place to mount on. O_CREAT without O_TRUNC: no copy of a large file.
  const OwnedFd place(open(target.c_str(), O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0755));
  if (!place.valid()) return FailErrno("cannot make a place for a file", target);
  if (move_mount(mount.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return FailErrno("cannot mount a file in the sandbox", target, Advice());
  }
  return {};
}

void Remove(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    // Only what the overlay takes away; what is read-only inside stays and cannot be replaced
    // either.
    unlink(path.c_str());
  }
}

// Opening a file for appending would copy it whole into the upper layer, and a log may be large.
void Empty(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    struct stat like;
    if (lstat(path.c_str(), &like) != 0 || !S_ISREG(like.st_mode)) continue;
    if (unlink(path.c_str()) != 0) continue;
    const OwnedFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.valid()) continue;
    // Should one of these fail, the program says what it misses.
    [[maybe_unused]] const int owner = fchown(file.get(), like.st_uid, like.st_gid);
    [[maybe_unused]] const int mode = fchmod(file.get(), like.st_mode & 07777);
  }
}

// pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one, from where it
// is taken away.
Status ChangeRoot() {
  if (chdir(kNewRoot) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    return FailErrno("cannot change the root directory of the sandbox", "", Advice());
  }
  return {};
}

}  // namespace

Result<TakenFile> TakeFile(const Replacement& replacement) {
  const std::string& from = replacement.file;
  struct stat status;
  if (stat(from.c_str(), &status) != 0) return FailErrno("cannot find a file to start with", from);
  if (!S_ISREG(status.st_mode)) return Fail("cannot start with what is not a file", from);
  if (status.st_nlink != 0) {
    OwnedFd mount(open_tree(AT_FDCWD, from.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (mount.valid()) return TakenFile{replacement.path, std::move(mount), true};
    if (errno == EPERM) return FailErrno("cannot take a file into a sandbox", from, Advice());
  }
  OwnedFd file(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return FailErrno("cannot read a file to start with", from);
  return TakenFile{replacement.path, std::move(file), false};
}

Status EnterFileSystem(const FileSystemOptions& options) {
  // Modes are to be what they are said to be.
  umask(0);
  MCR_TRY(MakeStage());
  std::vector<OwnedFd> copies(options.files.size());
  for (size_t i = 0; i < options.files.size(); ++i) {
    if (options.files[i].is_mount) continue;
    MCR_ASSIGN(copies[i], CopyToStage(options.files[i].file.get(), i));
  }
  for (size_t i = 0; i < options.mounts.size(); ++i) MCR_TRY(AddMount(options.mounts[i], i));
  MCR_TRY(AddKernelFileSystems());
  MCR_TRY(ChangeRoot());
  // Not before: an absolute symbolic link on the way (/var/run) would lead to the files outside.
  Remove(options.remove);
  Empty(options.empty_files);
  for (size_t i = 0; i < options.files.size(); ++i) {
    const TakenFile& taken = options.files[i];
    MCR_TRY(AddFile(taken.path, taken.is_mount ? taken.file : copies[i]));
  }
  return {};
}

Status SealKernelParameters() {
  for (const char* path : {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"}) {
    if (access(path, F_OK) != 0) continue;
    MCR_TRY(Mount(path, path, "bind", MS_BIND, nullptr));
    MCR_TRY(Mount("", path, "bind",
                  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
  }
  return {};
}

}  // namespace mcr::tracer
