#include "tests/targets/target_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace mcr::testing {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

}  // namespace

std::unique_ptr<TargetProcess> TargetProcess::Start(const std::string& name,
                                                    const std::vector<std::string>& arguments) {
  return StartFile("tests/targets/" + name, arguments);
}

std::unique_ptr<TargetProcess> TargetProcess::StartFile(const std::string& path,
                                                        const std::vector<std::string>& arguments) {
  Require(access(path.c_str(), X_OK) == 0, path.c_str());
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  int input[2], output[2];
  Require(pipe2(input, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0, "pipe2");
  std::unique_ptr<TargetProcess> target(new TargetProcess);
  target->pid_ = fork();
  Require(target->pid_ >= 0, "fork");
  if (target->pid_ == 0) {
    setpgid(0, 0);
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    execv(path.c_str(), argv.data());
    std::perror(path.c_str());
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  target->input_ = OwnedFd(input[1]);
  target->output_ = OwnedFd(output[0]);
  return target;
}

TargetProcess::~TargetProcess() {
  if (pid_ <= 0) return;
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string TargetProcess::ReadLine() {
  std::string line;
  char character;
  while (read(output_.get(), &character, 1) == 1 && character != '\n') line += character;
  return line;
}

void TargetProcess::Write(const std::string& text) {
  Require(write(input_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()),
          "write to the tracee");
}

void TargetProcess::AwaitSystemCall(long number, long alternative) const {
  const std::string path = "/proc/" + std::to_string(pid_) + "/syscall";
  std::string first;
  while (first != std::to_string(number) && first != std::to_string(alternative)) {
    sched_yield();
    std::ifstream file(path);
    Require(static_cast<bool>(file >> first), path.c_str());
  }
}

int TargetProcess::Wait() {
  int status = 0;
  Require(waitpid(pid_, &status, 0) == pid_, "waitpid");
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace mcr::testing
