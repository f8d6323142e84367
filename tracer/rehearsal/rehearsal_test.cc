#include "tracer/rehearsal/rehearsal.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "mcr/base/owned_fd.h"

namespace mcr::tracer {
namespace {

using namespace std::chrono_literals;

constexpr const char* kServer = "tracer/rehearsal/testdata/server";

class RehearsalTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "a sandbox needs root";
    // Not below the test's own directory: a Unix socket's path has at most 107 characters.
    std::string name = "/tmp/rehearsal-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  StartRecord Record(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "server");
    return {.executable = std::filesystem::absolute(kServer),
            .arguments = std::move(arguments),
            .environment = {"PATH=/bin"},
            .working_directory = "/"};
  }
  static RehearsalOptions Options() { return {.program = kServer, .deadline = 5s}; }

  std::string ErrorOf(const StartRecord& start, const RehearsalOptions& options) const {
    const auto rehearsal = Rehearsal::Run(start, options);
    return rehearsal ? "no error" : rehearsal.error().Line();
  }
  std::string Path(const char* name) const { return directory_ + "/" + name; }

  std::string directory_;
};

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(RehearsalTest, FreezesAProgramThatWaits) {
  const auto rehearsal = Rehearsal::Run(Record({"wait"}), Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  ASSERT_EQ((*rehearsal)->tasks().processes().size(), 1U);
  EXPECT_EQ((*rehearsal)->tasks().processes()[0].main().state(), RunState::kStopped);
}

TEST_F(RehearsalTest, StartsAProgramThatWasDeleted) {
  std::filesystem::copy_file(kServer, Path("server"));
  const OwnedFd open_file(open(Path("server").c_str(), O_RDONLY | O_CLOEXEC));
  std::filesystem::remove(Path("server"));
  RehearsalOptions options = Options();
  options.program = "/proc/self/fd/" + std::to_string(open_file.get());
  const auto rehearsal = Rehearsal::Run(Record({"wait"}), options);
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
}

TEST_F(RehearsalTest, LeavesNoProcessBehind) {
  std::vector<pid_t> pids;
  {
    const auto rehearsal = Rehearsal::Run(Record({"workers", "3"}), Options());
    ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
    for (const TracedProcess& process : (*rehearsal)->tasks().processes()) {
      pids.push_back(process.pid);
    }
  }
  ASSERT_EQ(pids.size(), 4U);
  for (const pid_t pid : pids) EXPECT_EQ(kill(pid, 0), -1) << pid;
}

TEST_F(RehearsalTest, LeavesTheMountTableAlone) {
  const std::string before = Contents("/proc/self/mountinfo");
  const auto rehearsal = Rehearsal::Run(Record({"wait"}), Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  EXPECT_EQ(Contents("/proc/self/mountinfo"), before);
}

TEST_F(RehearsalTest, FollowsADaemonAndKeepsItsFilesInside) {
  const std::string pid_file = Path("pid");
  const auto rehearsal = Rehearsal::Run(Record({"daemon", pid_file}), Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  const auto& processes = (*rehearsal)->tasks().processes();
  ASSERT_EQ(processes.size(), 1U);
  const std::string inside = "/proc/" + std::to_string(processes[0].pid) + "/root" + pid_file;
  EXPECT_TRUE(std::filesystem::exists(inside));
  EXPECT_FALSE(std::filesystem::exists(pid_file));
}

TEST_F(RehearsalTest, BindsAPortThatIsInUseOutside) {
  const OwnedFd outside(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(outside.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(outside.get(), 1), 0);
  ASSERT_EQ(getsockname(outside.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto port = std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(ErrorOf(Record({"port", port}), Options()), "no error");
}

TEST_F(RehearsalTest, BindsAUnixSocketThatIsInUseOutside) {
  const OwnedFd outside(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  Path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(outside.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  StartRecord start = Record({"socket", Path("socket")});
  EXPECT_NE(ErrorOf(start, Options()).find("Address already in use"), std::string::npos);
  start.sockets = {Path("socket")};
  EXPECT_EQ(ErrorOf(start, Options()), "no error");
  EXPECT_TRUE(std::filesystem::exists(Path("socket")));
}

TEST_F(RehearsalTest, GivesTheProgramAnEmptyLogOfTheSameOwner) {
  std::ofstream(Path("log")) << "history\n";
  ASSERT_EQ(chown(Path("log").c_str(), 1234, 1234), 0);
  StartRecord start = Record({"append", Path("log")});
  start.logs = {Path("log")};
  const auto rehearsal = Rehearsal::Run(start, Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  EXPECT_EQ(Contents(Path("log")), "history\n");
  const pid_t pid = (*rehearsal)->tasks().processes()[0].pid;
  const std::string inside = "/proc/" + std::to_string(pid) + "/root" + Path("log");
  EXPECT_EQ(Contents(inside).find("history"), std::string::npos);
  struct stat status;
  ASSERT_EQ(stat(inside.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234U);
}

TEST_F(RehearsalTest, StartsAProgramThatOthersCannotReachWhereTheServerWas) {
  ASSERT_EQ(chmod(directory_.c_str(), 0700), 0);
  std::filesystem::copy_file(kServer, Path("new"));
  StartRecord start = Record({"wait"});
  start.executable = "/usr/lib/no-such-directory/server";
  start.uid = start.gid = 65534;
  const auto rehearsal = Rehearsal::Run(start, {.program = Path("new"), .deadline = 5s});
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  EXPECT_FALSE(std::filesystem::exists("/usr/lib/no-such-directory"));
  const pid_t pid = (*rehearsal)->tasks().processes()[0].pid;
  EXPECT_EQ(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe"),
            "/usr/lib/no-such-directory/server");
}

TEST_F(RehearsalTest, HasTheAddressesOfTheServer) {
  StartRecord start = Record({"wait"});
  start.addresses = {"192.0.2.77", "fd00::77"};
  const auto rehearsal = Rehearsal::Run(start, Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  const pid_t pid = (*rehearsal)->tasks().processes()[0].pid;
  const std::string net = "/proc/" + std::to_string(pid) + "/net/";
  EXPECT_NE(Contents(net + "fib_trie").find("192.0.2.77"), std::string::npos);
  EXPECT_NE(Contents(net + "if_inet6").find("fd000000000000000000000000000077"), std::string::npos);
}

// A process in a mount namespace of its own, with a file system that nobody else sees at `path`.
class PrivateMount {
 public:
  explicit PrivateMount(const std::string& path) {
    int ready[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    const OwnedFd reader(ready[0]);
    OwnedFd writer(ready[1]);
    pid_ = fork();
    if (pid_ == 0) {
      const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                           mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                           mount("test", path.c_str(), "tmpfs", 0, nullptr) == 0;
      if (mounted && write(writer.get(), "", 1) == 1) pause();
      _exit(1);
    }
    writer.Reset();
    char byte;
    EXPECT_EQ(read(reader.get(), &byte, 1), 1);
  }
  ~PrivateMount() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST_F(RehearsalTest, SeesTheMountsOfTheServerAndDoesNotWriteToThem) {
  const PrivateMount server(directory_);
  const std::string servers = "/proc/" + std::to_string(server.pid()) + "/root";
  std::ofstream(servers + Path("history")) << "old\n";
  StartRecord start = Record({"append", Path("history")});
  start.pid = server.pid();
  const auto rehearsal = Rehearsal::Run(start, Options());
  ASSERT_TRUE(rehearsal) << rehearsal.error().Line();
  const pid_t pid = (*rehearsal)->tasks().processes()[0].pid;
  EXPECT_TRUE(
      Contents("/proc/" + std::to_string(pid) + "/root" + Path("history")).starts_with("old\n"));
  EXPECT_NE(Contents("/proc/" + std::to_string(pid) + "/root" + Path("history")), "old\n");
  EXPECT_EQ(Contents(servers + Path("history")), "old\n");
}

TEST_F(RehearsalTest, SaysWhatAProgramSaidThatRefusedToStart) {
  EXPECT_EQ(ErrorOf(Record({"refuse", "colour"}), Options()),
            std::string("the program exited with status 1 while it started up in the sandbox: "
                        "no such setting: colour, ") +
                kServer);
}

TEST_F(RehearsalTest, NamesTheSignalThatKilledAProgram) {
  EXPECT_NE(ErrorOf(Record({"crash"}), Options()).find("killed by signal Aborted"),
            std::string::npos);
}

TEST_F(RehearsalTest, NamesTheTaskThatIsNotIdleInTime) {
  RehearsalOptions options = Options();
  options.deadline = 100ms;
  EXPECT_NE(ErrorOf(Record({"spin"}), options).find("not idle in its sandbox after 100 ms: server"),
            std::string::npos);
}

TEST_F(RehearsalTest, FailsForAFileThatIsNoProgram) {
  std::ofstream(Path("text")) << "hello\n";
  chmod(Path("text").c_str(), 0755);
  RehearsalOptions options = Options();
  options.program = Path("text");
  EXPECT_NE(ErrorOf(Record({}), options).find("Exec format error"), std::string::npos);
  options.program = Path("missing");
  EXPECT_NE(ErrorOf(Record({}), options).find("No such file"), std::string::npos);
}

TEST_F(RehearsalTest, FailsForAWorkingDirectoryThatIsGone) {
  StartRecord start = Record({"wait"});
  start.working_directory = "/no/such/directory";
  EXPECT_NE(ErrorOf(start, Options()).find("cannot enter the server's working directory"),
            std::string::npos);
}

}  // namespace
}  // namespace mcr::tracer
