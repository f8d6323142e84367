#include "tracer/sys/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

namespace mcr::tracer {
namespace {

// PF_KTHREAD in the kernel's include/linux/sched.h; part of the stat file's format in effect.
constexpr uint64_t kKernelThreadFlag = 0x00200000;

std::string Name(pid_t pid) { return "PID " + std::to_string(pid); }

// A process that ends shows as ENOENT before its directory is opened and as ESRCH afterwards.
tl::unexpected<Error> FailRead(const std::string& name, pid_t pid, bool process_exists) {
  if (errno == ESRCH || (errno == ENOENT && !process_exists)) {
    errno = ESRCH;
    return FailErrno("no such process", Name(pid));
  }
  return FailErrno("cannot read " + name, Name(pid));
}

Result<std::string> ReadAll(int fd) {
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno("read");
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

// The entries of a directory whose names are numbers, ascending; nullopt if it cannot be opened.
std::optional<std::vector<int>> ListNumbers(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), &closedir);
  if (directory == nullptr) return std::nullopt;
  std::vector<int> numbers;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string ThreadFile(pid_t tid, std::string_view name) {
  return "task/" + std::to_string(tid) + "/" + std::string(name);
}

std::string MappedFileName(const Mapping& mapping) {
  const auto hex = [](Addr address) { return Hex(address).substr(2); };
  return "map_files/" + hex(mapping.range.begin()) + "-" + hex(mapping.range.end());
}

}  // namespace

std::string ProcFs::Path(pid_t pid, std::string_view name) const {
  return root_ + "/" + std::to_string(pid) + "/" + std::string(name);
}

Result<OwnedFd> ProcFs::Open(pid_t pid, const std::string& name, int flags) const {
  OwnedFd fd(open(Path(pid, name).c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return FailRead(name, pid, Exists(pid));
  return fd;
}

Result<std::string> ProcFs::ReadText(pid_t pid, const std::string& name) const {
  MCR_ASSIGN(const OwnedFd fd, Open(pid, name, O_RDONLY));
  Result<std::string> text = ReadAll(fd.get());
  if (!text) {
    errno = text.error().os_error;
    return FailRead(name, pid, true);
  }
  return text;
}

bool ProcFs::Exists(pid_t pid) const {
  const int saved = errno;
  const bool exists = access((root_ + "/" + std::to_string(pid)).c_str(), F_OK) == 0;
  errno = saved;
  return exists;
}

Result<std::vector<pid_t>> ProcFs::Processes() const {
  std::optional<std::vector<int>> numbers = ListNumbers(root_);
  if (!numbers) return FailErrno("cannot list processes", root_, "mount proc there");
  return std::move(*numbers);
}

Result<std::vector<pid_t>> ProcFs::Threads(pid_t pid) const {
  std::optional<std::vector<int>> threads = ListNumbers(Path(pid, "task"));
  if (!threads) return FailRead("task", pid, Exists(pid));
  const auto main = std::find(threads->begin(), threads->end(), pid);
  if (main != threads->end()) std::rotate(threads->begin(), main, main + 1);
  return std::move(*threads);
}

Result<std::vector<pid_t>> ProcFs::Children(pid_t pid) const {
  MCR_ASSIGN(const std::vector<pid_t> threads, Threads(pid));
  std::vector<pid_t> children;
  for (const pid_t tid : threads) {
    const Result<std::string> text = ReadText(pid, ThreadFile(tid, "children"));
    if (!text && text.error().os_error == ENOENT) return ChildrenByScan(pid);
    if (!text) continue;  // the thread has ended
    std::istringstream words(*text);
    for (pid_t child; words >> child;) children.push_back(child);
  }
  return children;
}

Result<std::vector<pid_t>> ProcFs::ChildrenByScan(pid_t pid) const {
  MCR_ASSIGN(const std::vector<pid_t> processes, Processes());
  std::vector<pid_t> children;
  for (const pid_t process : processes) {
    const Result<TaskStat> stat = ReadStat(process);
    if (stat && stat->parent == pid) children.push_back(process);
  }
  return children;
}

Result<std::vector<pid_t>> ProcFs::Descendants(pid_t pid) const {
  MCR_ASSIGN(std::vector<pid_t> pids, Tree(pid));
  pids.erase(pids.begin());
  return pids;
}

Result<std::vector<pid_t>> ProcFs::Tree(pid_t pid) const {
  MCR_ASSIGN(const std::vector<pid_t> processes, Processes());
  std::multimap<pid_t, pid_t> children;
  for (const pid_t process : processes) {
    const Result<TaskStat> stat = ReadStat(process);
    if (stat) children.emplace(stat->parent, process);  // else it ended meanwhile
  }
  std::vector<pid_t> found{pid};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto child = first; child != last; ++child) found.push_back(child->second);
  }
  return found;
}

Result<Mappings> ProcFs::ReadMappings(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "maps"));
  return ParseMaps(text);
}

Result<TaskStatus> ProcFs::ReadStatus(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "status"));
  return ParseStatus(text);
}

Result<TaskStatus> ProcFs::ReadThreadStatus(pid_t pid, pid_t tid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, ThreadFile(tid, "status")));
  return ParseStatus(text);
}

Result<TaskStat> ProcFs::ReadStat(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "stat"));
  return ParseStat(text);
}

Result<TaskStat> ProcFs::ReadThreadStat(pid_t pid, pid_t tid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, ThreadFile(tid, "stat")));
  return ParseStat(text);
}

Result<SystemCallState> ProcFs::ReadSystemCall(pid_t pid, pid_t tid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, ThreadFile(tid, "syscall")));
  return ParseSystemCall(text);
}

Result<std::vector<std::string>> ProcFs::ReadArguments(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "cmdline"));
  return SplitAtNuls(text);
}

Result<std::vector<std::string>> ProcFs::ReadEnvironment(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "environ"));
  return SplitAtNuls(text);
}

Result<std::vector<std::byte>> ProcFs::ReadAuxiliaryVector(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "auxv"));
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return std::vector<std::byte>(begin, begin + text.size());
}

Result<std::vector<ResourceLimit>> ProcFs::ReadLimits(pid_t pid) const {
  MCR_ASSIGN(const std::string text, ReadText(pid, "limits"));
  return ParseLimits(text);
}

Result<std::vector<int>> ProcFs::Descriptors(pid_t pid) const {
  std::optional<std::vector<int>> numbers = ListNumbers(Path(pid, "fd"));
  if (!numbers) return FailRead("fd", pid, Exists(pid));
  return std::move(*numbers);
}

Result<std::string> ProcFs::ReadLink(pid_t pid, const std::string& name) const {
  std::string target(4096, '\0');
  const ssize_t size = readlink(Path(pid, name).c_str(), target.data(), target.size());
  if (size < 0) return FailRead(name, pid, Exists(pid));
  target.resize(static_cast<size_t>(size));
  return target;
}

std::string ProcFs::MappedFile(pid_t pid, const Mapping& mapping) const {
  return Path(pid, MappedFileName(mapping));
}

Result<OwnedFd> ProcFs::OpenMappedFile(pid_t pid, const Mapping& mapping) const {
  return Open(pid, MappedFileName(mapping), O_RDONLY);
}

Result<bool> ProcFs::IsKernelThread(pid_t pid) const {
  MCR_ASSIGN(const TaskStat stat, ReadStat(pid));
  return (stat.flags & kKernelThreadFlag) != 0;
}

}  // namespace mcr::tracer
