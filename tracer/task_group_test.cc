#include "tracer/task_group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "mcr/base/address.h"
#include "mcr/base/result.h"
#include "tests/targets/target_process.h"
#include "tracer/breakpoint.h"
#include "tracer/breakpoint_probe.h"
#include "tracer/sys/child.h"
#include "tracer/sys/procfs.h"
#include "tracer/sys/procfs_parse.h"
#include "tracer/task.h"

namespace mcr::tracer {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

std::unique_ptr<TargetProcess> StartReady(const std::string& name,
                                          const std::vector<std::string>& arguments = {}) {
  std::unique_ptr<TargetProcess> target = TargetProcess::Start(name, arguments);
  EXPECT_EQ(target->ReadLine(), "ready");
  if (name == "blocker") target->AwaitSystemCall(SYS_epoll_wait, SYS_read);
  return target;
}

// A task that ends has no memory any more long before its state says so, and runs no code.
bool HasMemory(const ProcFs& proc, pid_t pid) {
  const auto mappings = proc.ReadMappings(pid);
  return mappings && !mappings->empty();
}

// Every task of the tree below `root` that does not have us as its tracer; tasks that end are
// skipped.
std::string Untraced(pid_t root) {
  const ProcFs proc;
  std::vector<pid_t> pids = *proc.Descendants(root);
  pids.push_back(root);
  std::string untraced;
  for (const pid_t pid : pids) {
    const auto tids = proc.Threads(pid);
    if (!tids) continue;
    for (const pid_t tid : *tids) {
      const auto status = proc.ReadThreadStatus(pid, tid);
      if (status && status->state != 'Z' && status->state != 'X' && status->tracer != getpid() &&
          HasMemory(proc, pid)) {
        untraced += " " + std::to_string(tid) + " of " + std::to_string(pid) + " in state " +
                    status->state + " traced by " + std::to_string(status->tracer);
      }
    }
  }
  return untraced;
}

TEST(TaskGroupTest, AttachesToAllOfATreeThatKeepsMakingThreadsAndProcesses) {
  auto target = StartReady("spawner");
  for (int round = 0; round < 20; ++round) {
    Result<TaskGroup> group = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(group) << group.error().Line();
    ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
    EXPECT_EQ(Untraced(target->pid()), "");
    for (const TracedProcess& process : group->processes()) {
      for (const auto& task : process.tasks) EXPECT_EQ(task->state(), RunState::kStopped);
    }
    const Status detached = group->DetachAll();
    EXPECT_TRUE(detached) << detached.error().Line();
  }
}

TEST(TaskGroupTest, LeavesChildrenAloneIfOnlyTheRootIsWanted) {
  auto target = StartReady("spawner");
  Result<TaskGroup> group = TaskGroup::Attach(target->pid(), {.root_only = true});
  ASSERT_TRUE(group) << group.error().Line();
  ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
  ASSERT_EQ(group->processes().size(), 1u);
  EXPECT_EQ(group->processes().front().pid, target->pid());
  ASSERT_TRUE(group->DetachAll());
  target->CloseInput();
  EXPECT_EQ(target->ReadLine(), "done");
}

TEST(TaskGroupTest, ATreeRunsOnAfterItsGroupIsDestroyed) {
  auto target = StartReady("spawner");
  {
    Result<TaskGroup> group = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(group) << group.error().Line();
  }
  {
    Result<TaskGroup> group = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(group) << group.error().Line();
    ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
  }
  target->CloseInput();
  EXPECT_EQ(target->ReadLine(), "done");
  EXPECT_EQ(target->Wait(), 0);
}

TEST(TaskGroupTest, ReportsASignalAndDeliversItOnContinue) {
  auto target = StartReady("blocker", {"epoll_wait"});
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  kill(target->pid(), SIGUSR1);
  const auto stopped = group->WaitAny(milliseconds(2000));
  ASSERT_TRUE(stopped && *stopped != nullptr);
  EXPECT_EQ((*stopped)->stop_reason(), StopReason::kSignal);
  EXPECT_EQ((*stopped)->pending_signal(), SIGUSR1);
  ASSERT_TRUE((*stopped)->Continue());
  EXPECT_EQ(target->ReadLine(), "-1 EINTR signals 1 mask same early");
}

TEST(TaskGroupTest, DeliversAHeldSignalOnDetach) {
  auto target = StartReady("blocker", {"epoll_wait"});
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  kill(target->pid(), SIGUSR1);
  const auto stopped = group->WaitAny(milliseconds(2000));
  ASSERT_TRUE(stopped && *stopped != nullptr);
  ASSERT_TRUE(group->DetachAll());
  EXPECT_EQ(target->ReadLine(), "-1 EINTR signals 1 mask same early");
}

TEST(TaskGroupTest, ReportsADeathAsAState) {
  auto target = StartReady("blocker", {"epoll_wait"});
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  kill(target->pid(), SIGKILL);
  const auto died = group->WaitAny(milliseconds(2000));
  ASSERT_TRUE(died && *died != nullptr);
  EXPECT_EQ((*died)->state(), RunState::kDead);
  const auto registers = (*died)->GetRegisters();
  ASSERT_FALSE(registers);
  EXPECT_EQ(registers.error().os_error, ESRCH);
  group->RemoveDead();
  EXPECT_TRUE(group->processes().empty());
}

TEST(TaskGroupTest, WaitAnyGivesUpInTime) {
  auto target = StartReady("blocker", {"epoll_wait"});
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  const auto stopped = group->WaitAny(milliseconds(3));
  ASSERT_TRUE(stopped);
  EXPECT_EQ(*stopped, nullptr);
}

// Sets one where a spinner enters its system call: the kernel's own report of the entry tells.
Result<Addr> SetAtCall(TaskGroup& group) {
  MCR_TRY(group.InterruptAll(milliseconds(2000)));
  Task& task = group.processes()[0].main();
  MCR_TRY(task.ContinueToSystemCall());
  MCR_TRY(group.WaitAny(milliseconds(2000)));
  if (task.stop_reason() != StopReason::kSystemCall) return Fail("no system call");
  MCR_ASSIGN(const Registers registers, task.GetRegisters());
  const Addr call(registers.rip - 2);
  MCR_TRY(task.SetBreakpoint(call));
  return call;
}

class BreakpointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!BreakpointsWork()) GTEST_SKIP() << "this machine's processors take no breakpoints";
  }

  // Lives on, and nobody stops it any more.
  static void DemandRuns(TargetProcess& target) {
    target.Write("x");
    EXPECT_EQ(target.ReadLine().substr(0, 5), "turns");
  }
};

TEST_F(BreakpointTest, StopsBeforeItsInstruction) {
  auto target = StartReady("spinner");
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  const Result<Addr> call = SetAtCall(*group);
  ASSERT_TRUE(call) << call.error().Line();
  Task& task = group->processes()[0].main();
  for (int hit = 0; hit < 3; ++hit) {
    ASSERT_TRUE(task.Continue());
    ASSERT_TRUE(group->WaitAny(milliseconds(2000)));
    ASSERT_EQ(task.stop_reason(), StopReason::kBreakpoint);
    const Result<Registers> registers = task.GetRegisters();
    ASSERT_TRUE(registers);
    EXPECT_EQ(Addr(registers->rip), *call);
    EXPECT_EQ(registers->rax, static_cast<uint64_t>(SYS_epoll_wait));
  }
  ASSERT_TRUE(group->DetachAll());
  DemandRuns(*target);
}

// However far its tracer has come when it is killed.
TEST_F(BreakpointTest, DoesNoHarmWhenItsTracerDies) {
  enum class Until { kIsSet, kHasHit };
  for (const Until until : {Until::kIsSet, Until::kHasHit}) {
    auto target = StartReady("spinner");
    const pid_t tracer = fork();
    if (tracer == 0) {
      Result<TaskGroup> group = TaskGroup::Attach(target->pid());
      if (!group || !SetAtCall(*group)) _exit(1);
      Task& task = group->processes()[0].main();
      if (!task.Continue()) _exit(1);
      if (until == Until::kHasHit && !group->WaitAny(milliseconds(2000))) _exit(1);
      if (until == Until::kHasHit && task.stop_reason() != StopReason::kBreakpoint) _exit(1);
      kill(getpid(), SIGKILL);
    }
    Result<Child> child = Child::Own(tracer);
    ASSERT_TRUE(child);
    ASSERT_TRUE(child->Wait(milliseconds(5000)));
    EXPECT_EQ(child->end(), CLD_KILLED);
    for (int i = 0; i < 3; ++i) DemandRuns(*target);
  }
}

TEST_F(BreakpointTest, IsNotForAThreadThatHasAUseForItsSignal) {
  const pid_t pid = fork();
  if (pid == 0) {
    signal(SIGURG, [](int) {});
    raise(SIGSTOP);
    _exit(0);
  }
  Result<Child> child = Child::Own(pid);
  ASSERT_TRUE(child);
  while (ProcFs().ReadStatus(pid)->state != 'T') usleep(100);
  EXPECT_FALSE(Breakpoint::Set(pid, Addr(0x1000)));
}

TEST(TaskGroupTest, StoppedTasksCanBeTakenOverAgain) {
  auto target = StartReady("blocker", {"read"});
  {
    Result<TaskGroup> group = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(group);
  }
  Result<TaskGroup> again = TaskGroup::Reattach({target->pid()});
  ASSERT_TRUE(again) << again.error().Line();
  EXPECT_EQ(again->processes()[0].main().state(), RunState::kStopped);
}

TEST(TaskGroupTest, AJobControlStopOutlivesTheAttachment) {
  auto target = StartReady("blocker", {"read"});
  kill(target->pid(), SIGSTOP);
  {
    Result<TaskGroup> group = TaskGroup::Attach(target->pid());
    ASSERT_TRUE(group);
    ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
  }
  while (ProcFs().ReadStatus(target->pid())->state != 'T') sched_yield();
  kill(target->pid(), SIGCONT);
  target->Write("x");
  EXPECT_EQ(target->ReadLine().substr(0, 4), "1 ok");
}

std::string Refusal(pid_t pid) {
  const Result<TaskGroup> group = TaskGroup::Attach(pid);
  return group ? "" : group.error().Line();
}

TEST(TaskGroupTest, RefusalsSayWhy) {
  EXPECT_NE(Refusal(0x7ffffff0).find("No such process"), std::string::npos);
  EXPECT_NE(Refusal(getpid()).find("mcr itself"), std::string::npos);
  EXPECT_NE(Refusal(getppid()).find("mcr was started by"), std::string::npos);
  auto target = StartReady("blocker", {"read"});
  const Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group);
  EXPECT_NE(Refusal(target->pid()).find("already traced by PID " + std::to_string(getpid())),
            std::string::npos);
}

TEST(TaskGroupTest, LeavesChildrenAloneThatExecuteAnotherProgram) {
  auto target = StartReady("launcher");
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group) << group.error().Line();
  EXPECT_EQ(group->processes().size(), 2u);
  EXPECT_EQ(ProcFs().Children(target->pid())->size(), 2u);
  ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
}

TEST(TaskGroupTest, LetsGoOfAProcessThatExecutesAnotherProgram) {
  auto target = StartReady("launcher");
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group) << group.error().Line();
  const pid_t child = group->processes().back().pid;
  target->Write("x");
  while (group->Find(child) != nullptr) {
    const Result<Task*> stopped = group->WaitAny(milliseconds(2000));
    ASSERT_TRUE(stopped && *stopped != nullptr);
    if ((*stopped)->state() == RunState::kStopped) {
      ASSERT_TRUE((*stopped)->Continue());
    }
  }
  EXPECT_EQ(target->ReadLine(), "launched");
  EXPECT_EQ(ProcFs().ReadStatus(child)->tracer, 0);
  ASSERT_TRUE(group->InterruptAll(milliseconds(2000)));
  EXPECT_EQ(group->processes().size(), 1u);
}

// The tracer is a child of this test, so that it can die.
char StateAfterDeathOfTracer(TargetProcess& target, bool hold) {
  const pid_t tracer = fork();
  if (tracer == 0) {
    Result<TaskGroup> group = TaskGroup::Attach(target.pid());
    if (!group || !group->InterruptAll(milliseconds(2000))) _exit(1);
    if (hold && !group->Hold()) _exit(1);
    raise(SIGKILL);
  }
  AwaitChild(tracer);
  // Nothing tells of it when it has stopped.
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(2000);
  while (ProcFs().ReadStatus(target.pid())->state == 't' ||
         (hold && ProcFs().ReadStatus(target.pid())->state != 'T')) {
    if (std::chrono::steady_clock::now() > deadline) break;
  }
  return ProcFs().ReadStatus(target.pid())->state;
}

TEST(TaskGroupTest, WhatIsHeldStaysStoppedWhenItsTracerDies) {
  auto target = StartReady("spawner");
  EXPECT_EQ(StateAfterDeathOfTracer(*target, true), 'T');
}

TEST(TaskGroupTest, WhatIsNotHeldRunsWhenItsTracerDies) {
  auto target = StartReady("blocker", {"read"});
  EXPECT_NE(StateAfterDeathOfTracer(*target, false), 'T');
}

// With a process that catches SIGCHLD between the root and the process that is watched.
struct Monitored {
  Monitored() : target(TargetProcess::Start("monitor")) {
    const std::string line = target->ReadLine();
    EXPECT_TRUE(line.starts_with("ready "));
    watched = std::stoi(line.substr(6));
  }
  std::unique_ptr<TargetProcess> target;
  pid_t watched;
};

TEST(TaskGroupTest, AParentIsNotToldOfItsChildsHold) {
  Monitored server;
  for (int round = 0; round < 5; ++round) {
    Result<TaskGroup> group = TaskGroup::Attach(server.target->pid());
    ASSERT_TRUE(group && group->InterruptAll(milliseconds(2000)));
    ASSERT_EQ(group->processes().size(), 3u);
    ASSERT_TRUE(group->Hold());
    EXPECT_TRUE(group->IsHeld());
    ASSERT_TRUE(group->Release());
    ASSERT_TRUE(group->DetachAll());
    server.target->Write("x");
    EXPECT_EQ(server.target->ReadLine(), "alive");
  }
}

TEST(TaskGroupTest, AParentIsToldOfItsChildsEndInAHold) {
  Monitored server;
  Result<TaskGroup> group = TaskGroup::Attach(server.target->pid());
  ASSERT_TRUE(group && group->InterruptAll(milliseconds(2000)));
  ASSERT_TRUE(group->Hold());
  kill(server.watched, SIGKILL);
  while (ProcFs().ReadStatus(server.watched)->state != 'Z') usleep(100);
  ASSERT_TRUE(group->Release());
  ASSERT_TRUE(group->DetachAll());
  EXPECT_EQ(server.target->ReadLine(), "told");
  server.target->Write("x");
  EXPECT_EQ(server.target->ReadLine(), "alive");
}

TEST(TaskGroupTest, WhatIsHeldAndReleasedRunsAsBefore) {
  auto target = StartReady("blocker", {"read"});
  Result<TaskGroup> group = TaskGroup::Attach(target->pid());
  ASSERT_TRUE(group && group->InterruptAll(milliseconds(2000)));
  ASSERT_TRUE(group->Hold());
  EXPECT_TRUE(group->IsHeld());
  ASSERT_TRUE(group->Hold());  // again does no harm
  ASSERT_TRUE(group->Release());
  EXPECT_FALSE(group->IsHeld());
  ASSERT_TRUE(group->DetachAll());
  target->Write("x");
  EXPECT_EQ(target->ReadLine(), "1 ok signals 0 mask same early");
}

}  // namespace
}  // namespace mcr::tracer
