#include "tracer/rehearsal/launch.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace mcr::tracer {
namespace {

void ResetSignals() {
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    signal(signal_number, SIG_DFL);  // fails for SIGKILL, SIGSTOP and libc's own, which is right
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

Status SetLimit(int number, rlimit limit) {
  const auto resource = static_cast<__rlimit_resource_t>(number);
  rlimit ours;
  if (getrlimit(resource, &ours) != 0) return FailErrno("cannot read a resource limit");
  // Only CAP_SYS_RESOURCE may raise a hard limit; with what we have the program gets as near as it
  // can.
  if (setrlimit(resource, &limit) == 0) return {};
  limit.rlim_max = std::min(limit.rlim_max, ours.rlim_max);
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  if (setrlimit(resource, &limit) == 0) return {};
  return FailErrno("cannot set the resource limit " + std::to_string(number));
}

Status SetCredentials(const StartRecord& start) {
  if (setgroups(start.groups.size(), start.groups.data()) != 0 ||
      setresgid(start.gid, start.gid, start.gid) != 0 ||
      setresuid(start.uid, start.uid, start.uid) != 0) {
    return FailErrno("cannot take on the server's credentials", "uid " + std::to_string(start.uid));
  }
  return {};
}

Status SetStandardStreams(int output) {
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) {
    return FailErrno("cannot set up standard streams");
  }
  // Marked instead of closed: the descriptor that reports a failing exec is needed until then.
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return FailErrno("cannot mark descriptors");
  return {};
}

Status Prepare(const StartRecord& start, int output) {
  ResetSignals();
  if (setsid() < 0) return FailErrno("cannot start a session");
  MCR_TRY(SetStandardStreams(output));
  for (const auto& [resource, limits] : start.limits) {
    MCR_TRY(SetLimit(resource, {.rlim_cur = limits.first, .rlim_max = limits.second}));
  }
  // First, as it is named from outside the root directory, and may be there.
  if (!start.working_directory.empty() && chdir(start.working_directory.c_str()) != 0) {
    return FailErrno("cannot enter the server's working directory", start.working_directory);
  }
  if (start.root != "/" && chroot(start.root.c_str()) != 0) {
    return FailErrno("cannot change the root directory", start.root);
  }
  umask(start.umask);
  return SetCredentials(start);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The executable's path as it is below the record's root directory.
std::string PathBelowRoot(const StartRecord& start) {
  return start.root == "/" ? start.executable : start.executable.substr(start.root.size());
}

}  // namespace

Error Launch(const StartRecord& start, int output) {
  const Status prepared = Prepare(start, output);
  if (!prepared) return prepared.error();
  const std::string path = PathBelowRoot(start);
  execve(path.c_str(), Pointers(start.arguments).data(), Pointers(start.environment).data());
  if (errno == ENOENT || errno == ELIBBAD) {
    return FailErrno("cannot execute: its interpreter (ld.so) is missing or damaged").value();
  }
  return FailErrno("cannot execute").value();
}

}  // namespace mcr::tracer
