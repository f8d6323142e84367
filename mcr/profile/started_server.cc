#include "mcr/profile/started_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "tracer/sys/procfs.h"

namespace mcr::profile {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kToRest{2000};
constexpr milliseconds kToEnd{10000};

}  // namespace

Result<tracer::Child> Start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    errno = failed;
    return FailErrno("cannot run", arguments.front());
  }
  return tracer::Child::Own(pid);
}

Result<StartedServer> StartedServer::Start(const std::vector<std::string>& arguments) {
  // A daemon, whose parent ends, becomes our child.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return FailErrno("PR_SET_CHILD_SUBREAPER");
  MCR_ASSIGN(tracer::Child child, profile::Start(arguments));
  if (!child.Wait(kToRest)) return StartedServer(std::move(child));
  MCR_ASSIGN(const std::vector<pid_t> descendants, tracer::ProcFs().Descendants(getpid()));
  if (descendants.empty()) {
    return Fail("the server ended at once", arguments.front(), "start it by hand to see why");
  }
  std::this_thread::sleep_for(kToRest);
  MCR_ASSIGN(tracer::Child daemon, tracer::Child::Own(descendants.front()));
  return StartedServer(std::move(daemon));
}

StartedServer::~StartedServer() {
  if (main_ == nullptr || main_->Wait(milliseconds(0))) return;
  const auto tree = tracer::ProcFs().Descendants(main_->pid());
  kill(main_->pid(), SIGTERM);
  if (main_->Wait(kToEnd) || !tree) return;
  for (const pid_t pid : *tree) kill(pid, SIGKILL);
}

}  // namespace mcr::profile
