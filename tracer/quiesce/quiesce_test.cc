#include "tracer/quiesce/quiesce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>

#include <chrono>
#include <memory>
#include <string>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "profiles/profile.h"
#include "tests/targets/target_process.h"
#include "tracer/quiesce/restart.h"
#include "tracer/remote_call.h"
#include "tracer/sys/procfs.h"
#include "tracer/task.h"
#include "tracer/task_group.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

profiles::Profile ProfileFor(const std::string& call, const std::string& function) {
  return *profiles::ParseProfile(
      "identity { name: \"target\" executable: \"target\" } learned { roles { name: \"only\" "
      "quiescent_points { system_call: \"" +
          call + "\" call_stack: \"" + function + "\" } } }",
      "test");
}

// The only function that the tests' targets are known to have: where the program's code is.
QuiesceOptions Options(milliseconds deadline = milliseconds(2000)) {
  QuiesceOptions options;
  options.deadline = deadline;
  options.function_name = [](pid_t pid, Addr instruction) -> std::string {
    const auto mappings = ProcFs().ReadMappings(pid);
    const Mapping* mapping = mappings ? FindMapping(*mappings, instruction) : nullptr;
    const bool own = mapping != nullptr && mapping->path.find("/targets/") != std::string::npos;
    return own ? "program" : "";
  };
  return options;
}

struct Server {
  explicit Server(const std::string& name, const std::vector<std::string>& arguments = {})
      : target(TargetProcess::Start(name, arguments)) {
    EXPECT_EQ(target->ReadLine(), "ready");
  }
  void Attach() {
    Result<TaskGroup> attached = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(attached) << attached.error().Line();
    group.emplace(std::move(*attached));
  }
  // The pause, with what an update does in it, and its end.
  void Pause(const profiles::Profile* profile, int signal_during = 0, bool inject = true) {
    Attach();
    auto quiescer = Quiescer::Create(profile, Options());
    ASSERT_TRUE(quiescer);
    ASSERT_TRUE((*quiescer)->Prepare(*group));
    const auto threads = (*quiescer)->Quiesce(*group);
    ASSERT_TRUE(threads) << threads.error().Line();
    ASSERT_EQ(threads->size(), 1u);
    EXPECT_EQ((*threads)[0].registers.orig_rax, ~0ull);
    if (signal_during != 0) kill(target->pid(), signal_during);
    if (inject) {
      auto injection = Injection::Open(group->processes()[0]);
      ASSERT_TRUE(injection);
      ASSERT_TRUE((*injection)->Call(SYS_getpid, {}));
    }
    ASSERT_TRUE(RestoreInterruptibility(*group));
    ASSERT_TRUE(group->DetachAll());
  }

  std::unique_ptr<TargetProcess> target;
  std::optional<TaskGroup> group;
};

struct Blocked {
  const char* mode;
  long number;
  const char* call;
  const char* after_input;
  const char* after_signal;
};

class QuiescerTest : public ::testing::TestWithParam<Blocked> {
 protected:
  Server Start() {
    Server server("blocker", {GetParam().mode});
    server.target->AwaitSystemCall(GetParam().number);
    return server;
  }
  const profiles::Profile profile_ = ProfileFor(GetParam().call, "program");
};

TEST_P(QuiescerTest, ABlockedThreadGoesOnInItsCall) {
  Server server = Start();
  server.Pause(&profile_);
  if (GetParam().after_input == nullptr) return;
  server.target->Write("x");
  EXPECT_EQ(server.target->ReadLine(), GetParam().after_input);
}

TEST_P(QuiescerTest, ASignalDuringThePauseEndsTheCallAsEver) {
  if (GetParam().after_signal == nullptr) return;
  for (const bool inject : {false, true}) {
    Server server = Start();
    server.Pause(&profile_, SIGUSR1, inject);
    EXPECT_EQ(server.target->ReadLine(), GetParam().after_signal);
  }
}

TEST_P(QuiescerTest, ASignalAfterThePauseEndsTheCallAsEver) {
  if (GetParam().after_signal == nullptr) return;
  Server server = Start();
  server.Pause(&profile_);
  server.target->AwaitSystemCall(GetParam().number, SYS_restart_syscall);
  kill(server.target->pid(), SIGUSR1);
  EXPECT_EQ(server.target->ReadLine(), GetParam().after_signal);
}

TEST_P(QuiescerTest, ASecondPauseFindsTheSamePoint) {
  Server server = Start();
  server.Pause(&profile_);
  server.target->AwaitSystemCall(GetParam().number, SYS_restart_syscall);
  server.Pause(nullptr);
}

TEST_P(QuiescerTest, WithoutProfileThePresentCallIsAssumed) {
  Server server = Start();
  server.Attach();
  auto quiescer = Quiescer::Create(nullptr, Options());
  ASSERT_TRUE((*quiescer)->Prepare(*server.group));
  ASSERT_EQ((*quiescer)->assumed().size(), 1u);
  EXPECT_TRUE((*quiescer)->assumed()[0].ends_with(GetParam().call)) << (*quiescer)->assumed()[0];
  const auto threads = (*quiescer)->Quiesce(*server.group);
  ASSERT_TRUE(threads) << threads.error().Line();
  EXPECT_EQ((*threads)[0].system_call, GetParam().call);
}

constexpr const char* kInput = "1 ok signals 0 mask same early";
constexpr const char* kSignal = "-1 EINTR signals 1 mask same early";

INSTANTIATE_TEST_SUITE_P(
    Calls, QuiescerTest,
    ::testing::Values(Blocked{"epoll_wait", SYS_epoll_wait, "epoll_wait", kInput, kSignal},
                      Blocked{"poll", SYS_poll, "poll", kInput, kSignal},
                      Blocked{"read", SYS_read, "read", kInput, nullptr},
                      Blocked{"nanosleep", SYS_clock_nanosleep, "clock_nanosleep", nullptr,
                              kSignal},
                      Blocked{"sigsuspend", SYS_rt_sigsuspend, "rt_sigsuspend", nullptr, kSignal}),
    [](const auto& info) { return std::string(info.param.mode); });

TEST(QuiescerTest, AThreadWithoutFunctionsOfTheProgramMayBlockAnywhere) {
  Server server("blocker", {"epoll_wait"});
  server.target->AwaitSystemCall(SYS_epoll_wait);
  const profiles::Profile profile = ProfileFor("poll", "program");
  server.Attach();
  QuiesceOptions options = Options();
  options.function_name = [](pid_t, Addr) { return std::string(); };
  auto quiescer = Quiescer::Create(&profile, std::move(options));
  ASSERT_TRUE((*quiescer)->Prepare(*server.group));
  const auto threads = (*quiescer)->Quiesce(*server.group);
  ASSERT_TRUE(threads) << threads.error().Line();
  EXPECT_EQ((*threads)[0].system_call, "epoll_wait");
  EXPECT_EQ((*threads)[0].role, "");
}

TEST(QuiescerTest, ALimitedWaitIsSeenToEndEarly) {
  Server server("blocker", {"epoll_wait_300"});
  server.target->AwaitSystemCall(SYS_epoll_wait);
  const profiles::Profile profile = ProfileFor("epoll_wait", "program");
  server.Pause(&profile);
  EXPECT_EQ(server.target->ReadLine(), "-1 EINTR signals 0 mask same early");
}

TEST(QuiescerTest, CatchesALoopUnderFullLoad) {
  Server server("spinner");
  const profiles::Profile profile = ProfileFor("epoll_wait", "program");
  for (int round = 0; round < 10; ++round) {
    server.Attach();
    auto quiescer = Quiescer::Create(&profile, Options());
    ASSERT_TRUE((*quiescer)->Prepare(*server.group));
    const auto threads = (*quiescer)->Quiesce(*server.group);
    ASSERT_TRUE(threads) << threads.error().Line();
    const Registers& registers = (*threads)[0].registers;
    EXPECT_EQ(registers.rax, static_cast<uint64_t>(SYS_epoll_wait));
    EXPECT_EQ(server.group->processes()[0].main().GetRegisters()->rip, registers.rip);
    ASSERT_TRUE(RestoreInterruptibility(*server.group));
    ASSERT_TRUE(server.group->DetachAll());
    server.target->Write("x");
    EXPECT_EQ(server.target->ReadLine().substr(0, 5), "turns");
  }
}

// Of one of the calls, in functions of the program.
profiles::Profile ProfileOf(const std::vector<std::string>& calls) {
  std::string points;
  for (const std::string& call : calls) {
    points += "quiescent_points { system_call: \"" + call + "\" call_stack: \"program\" } ";
  }
  return *profiles::ParseProfile(
      "identity { name: \"target\" executable: \"target\" } learned { roles { name: \"only\" " +
          points + "} }",
      "test");
}

TEST(QuiescerTest, AThreadThatAnotherOneWaitsForIsLetOn) {
  for (const auto& [mode, call] : {std::pair("pipe", "read"), std::pair("condition", "futex")}) {
    Server server("relay", {mode});
    const profiles::Profile profile = ProfileOf({"poll", call});
    for (int round = 0; round < 30; ++round) {
      server.Attach();
      auto quiescer = Quiescer::Create(&profile, Options());
      ASSERT_TRUE((*quiescer)->Prepare(*server.group));
      const auto threads = (*quiescer)->Quiesce(*server.group);
      ASSERT_TRUE(threads) << mode << ": " << threads.error().Line();
      ASSERT_EQ(threads->size(), 2u);
      // Main may as well wait for the mutex, which is futex(2), too.
      EXPECT_THAT((*threads)[0].system_call, ::testing::AnyOf("poll", call));
      EXPECT_EQ((*threads)[1].system_call, call);
      ASSERT_TRUE(RestoreInterruptibility(*server.group));
      ASSERT_TRUE(server.group->DetachAll());
      server.target->Write("x");
      EXPECT_EQ(server.target->ReadLine().substr(0, 5), "turns");
    }
  }
}

TEST(QuiescerTest, AMissedDeadlineNamesTheThreadAndLeavesItRunning) {
  Server server("spinner");
  const profiles::Profile profile = ProfileFor("poll", "program");
  server.Attach();
  auto quiescer = Quiescer::Create(&profile, Options(milliseconds(30)));
  ASSERT_TRUE((*quiescer)->Prepare(*server.group));
  const auto threads = (*quiescer)->Quiesce(*server.group);
  ASSERT_FALSE(threads);
  const std::string line = threads.error().Line();
  EXPECT_NE(line.find("thread " + std::to_string(server.target->pid())), std::string::npos) << line;
  EXPECT_NE(line.find("program"), std::string::npos) << line;
  server.target->Write("x");
  EXPECT_EQ(server.target->ReadLine().substr(0, 5), "turns");
}

TEST(QuiescerTest, AMissedDeadlineIsNotSeenByABlockedThread) {
  Server server("blocker", {"epoll_wait"});
  server.target->AwaitSystemCall(SYS_epoll_wait);
  const profiles::Profile profile = ProfileFor("poll", "program");
  server.Attach();
  auto quiescer = Quiescer::Create(&profile, Options(milliseconds(30)));
  ASSERT_TRUE((*quiescer)->Prepare(*server.group));
  ASSERT_FALSE((*quiescer)->Quiesce(*server.group));
  server.target->Write("x");
  EXPECT_EQ(server.target->ReadLine(), kInput);
}

TEST(Quiescer, ACallWhoseRestartWillBeForgottenIsEnteredAnew) {
  Server server("blocker", {"poll_300"});
  server.target->AwaitSystemCall(SYS_poll);
  server.Pause(nullptr);  // after which its call is restart_syscall
  server.Attach();
  QuiesceOptions options = Options();
  options.restarts_are_forgotten = true;
  auto quiescer = Quiescer::Create(nullptr, options);
  ASSERT_TRUE(quiescer);
  ASSERT_TRUE((*quiescer)->Prepare(*server.group));
  const auto threads = (*quiescer)->Quiesce(*server.group);
  ASSERT_TRUE(threads) << threads.error().Line();
  EXPECT_EQ((*threads)[0].registers.rax, static_cast<uint64_t>(SYS_poll));
  ASSERT_TRUE(server.group->DetachAll());
}

}  // namespace
}  // namespace mcr::tracer
