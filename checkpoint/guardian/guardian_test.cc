#include "checkpoint/guardian/guardian.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "checkpoint/graft/executor.h"
#include "checkpoint/graft/undo.h"
#include "checkpoint/live_image.h"
#include "mcr/base/fault.h"
#include "tests/targets/target_process.h"
#include "tracer/sys/procfs.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

using mcr::testing::TargetProcess;
using std::chrono::milliseconds;

constexpr uint64_t kFreeAddress = 0x100000000;
constexpr uint64_t kPage = 4096;
constexpr int kDone = 77;

// What a worker does: it maps a page, writes to it and to the program, changes what the kernel
// holds, commits, and lets the program run.
class GuardianTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root for a directory below /run";
    target_ = TargetProcess::Start("graft/graftee");
    std::istringstream line(target_->ReadLine());
    uint64_t value, constant, handler;
    ASSERT_TRUE(line >> value >> constant >> handler);
    value_ = Addr(value);
    handler_ = Addr(handler);
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
    descriptors_ = tracer::ProcFs().Descriptors(target_->pid()).value();
  }

  GraftPlan Plan(const LiveImage& image) const {
    ProcessGraft graft;
    graft.pid = target_->pid();
    graft.mappings = {{.range = *Range<Addr>::FromSize(Addr(kFreeAddress), 2 * kPage),
                       .protection = PROT_READ | PROT_WRITE,
                       .anonymous = true}};
    graft.writes.AddWord(value_, 111);
    graft.writes.AddWord(Addr(kFreeAddress + 64), 333);
    for (const SignalHandler& before : image.signal_handlers()) {
      SignalHandler after = before;
      after.handler = handler_;
      graft.signal_handlers.push_back({before, after});
    }
    for (const EpollEntry& before : image.epoll_entries()) {
      EpollEntry after = before;
      after.data = 0x2222;
      graft.epoll.push_back({before, after});
    }
    for (const Timer& before : image.timers()) {
      Timer after = before;
      after.value = 0x3333;
      graft.timers.push_back({before, after});
    }
    for (const SignalStack& before : image.signal_stacks()) {
      SignalStack after = before;
      after.size -= kPage;
      graft.signal_stacks.push_back({before, after});
    }
    graft.unmap = {*Range<Addr>::FromSize(Addr(kFreeAddress + kPage), kPage)};
    graft.registers.push_back({graft.pid, image.threads().front().registers});
    GraftPlan plan;
    plan.processes.push_back(std::move(graft));
    return plan;
  }

  Status Work(UndoLog& log) const {
    MCR_ASSIGN(tracer::TaskGroup group, tracer::TaskGroup::Attach(target_->pid()));
    MCR_TRY(group.InterruptAll(milliseconds(2000)));
    tracer::TracedProcess& process = *group.Find(target_->pid());
    MCR_TRY(log.Append(UndoKind::kPause));
    MCR_ASSIGN(const auto image, LiveImage::Create(process));
    MCR_ASSIGN(const std::vector<int> descriptors, tracer::ProcFs().Descriptors(process.pid));
    MCR_TRY(RecordProcess(log, process, image->mappings(), descriptors));
    MCR_TRY(FaultPoint(Fault::kHold));
    MCR_TRY(group.Hold());
    MCR_ASSIGN(Answers answers, AskProcess(process));
    image->SetAnswers(std::move(answers));
    const GraftPlan plan = Plan(*image);
    GraftPreparation preparation;
    MCR_TRY(preparation.OpenFiles(plan));
    MCR_TRY(preparation.AddPatch(plan.processes.front()));
    MCR_ASSIGN(const auto graft, Graft::Apply(group, plan, std::move(preparation), log));
    MCR_TRY(FaultPoint(Fault::kGraft));
    MCR_TRY(graft->PrepareCommit());
    MCR_TRY(log.Append(UndoKind::kCommitted));
    (void)FaultPoint(Fault::kCommitted);
    graft->Commit();
    MCR_TRY(log.Append(UndoKind::kSettled));
    MCR_TRY(FaultPoint(Fault::kResume));
    MCR_TRY(group.Release());
    return group.DetachAll();
  }

  GuardedEnd Guarded(const std::string& fault, milliseconds pause = milliseconds(30000)) {
    GuardLimits limits;
    limits.pause = pause;
    auto end = RunGuarded(limits, [&](UndoLog& log) {
      ArmFault(ParseFault(fault));  // in the worker only
      const Status worked = Work(log);
      if (!worked) std::cerr << worked.error().Line() << std::endl;
      return worked ? kDone : 1;
    });
    EXPECT_TRUE(end) << end.error().Line();
    return end ? *std::move(end) : GuardedEnd();
  }

  std::string Ask() {
    target_->Write("x");
    return target_->ReadLine();
  }

  uint64_t TimerValue() const {
    const auto timers = LiveImage::CreateRunning(target_->pid()).value()->timers();
    return timers.size() == 1 ? timers[0].value : 0;
  }

  bool IsMapped(uint64_t address) const {
    return FindMapping(*tracer::ProcFs().ReadMappings(target_->pid()), Addr(address)) != nullptr;
  }

  void ExpectOld() {
    EXPECT_TRUE(Ask().starts_with("11 22 a 1111 timer 1 stack 65536"));
    EXPECT_EQ(TimerValue(), 0x2222u);
    EXPECT_FALSE(IsMapped(kFreeAddress));
    EXPECT_EQ(tracer::ProcFs().Descriptors(target_->pid()).value(), descriptors_);
  }

  void ExpectNew() {
    EXPECT_TRUE(Ask().starts_with("111 22 b 2222 timer 1 stack 61440"));
    EXPECT_EQ(TimerValue(), 0x3333u);
    EXPECT_TRUE(IsMapped(kFreeAddress));
    EXPECT_FALSE(IsMapped(kFreeAddress + kPage));
    EXPECT_EQ(tracer::ProcFs().Descriptors(target_->pid()).value(), descriptors_);
  }

  std::unique_ptr<TargetProcess> target_;
  Addr value_, handler_;
  std::vector<int> descriptors_;
};

TEST_F(GuardianTest, AWorkerThatIsLeftAloneComesToItsEnd) {
  const GuardedEnd end = Guarded("");
  EXPECT_EQ(end.interruption, "");
  EXPECT_EQ(end.status, kDone);
  ExpectNew();
}

class Killed : public GuardianTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(Killed, BeforeTheCommitTheServerIsAsItWas) {
  int occurrence = 1;
  for (; occurrence < 100; ++occurrence) {
    const GuardedEnd end = Guarded(GetParam() + ":kill@" + std::to_string(occurrence));
    if (end.recovered == Recovered::kNew) break;  // it was after the commit
    if (end.interruption.empty()) break;          // there are not so many
    EXPECT_EQ(end.interruption, "the worker was killed by SIGKILL");
    EXPECT_EQ(end.recovered, Recovered::kOld);
    ExpectOld();
    target_->AwaitSystemCall(SYS_epoll_wait, SYS_epoll_pwait);
  }
  EXPECT_GT(occurrence, 1);
  ExpectNew();
}

INSTANTIATE_TEST_SUITE_P(Places, Killed,
                         ::testing::Values("hold", "injected-call", "injected-code", "kernel-calls",
                                           "signal-stack", "timers", "last-write", "registers",
                                           "graft"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

class KilledLate : public GuardianTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(KilledLate, AfterTheCommitTheServerIsNew) {
  const GuardedEnd end = Guarded(GetParam() + ":kill");
  EXPECT_EQ(end.interruption, "the worker was killed by SIGKILL");
  EXPECT_EQ(end.recovered, Recovered::kNew);
  ExpectNew();
}

INSTANTIATE_TEST_SUITE_P(Places, KilledLate, ::testing::Values("committed", "unmap", "resume"),
                         [](const auto& info) { return info.param; });

TEST_F(GuardianTest, AWorkerThatHangsInThePauseIsEnded) {
  const GuardedEnd end = Guarded("graft:loop", milliseconds(300));
  EXPECT_EQ(end.interruption, "the pause took too long");
  ExpectOld();
}

TEST_F(GuardianTest, AWorkerThatHangsWithTheServerHeldIsEnded) {
  const auto hang = [&](UndoLog& log) {
    auto group = tracer::TaskGroup::Attach(target_->pid());
    if (!group || !group->InterruptAll(milliseconds(2000))) return 1;
    const tracer::TracedProcess& process = *group->Find(target_->pid());
    const auto mappings = tracer::ProcFs().ReadMappings(process.pid);
    if (!RecordProcess(log, process, *mappings, descriptors_) || !group->Hold()) return 1;
    return pause();
  };
  const auto end = RunGuarded({.pause = milliseconds(300)}, hang);
  ASSERT_TRUE(end) << end.error().Line();
  EXPECT_EQ(end->interruption, "the pause took too long");
  EXPECT_EQ(end->recovered, Recovered::kUntouched);
  ExpectOld();
}

TEST_F(GuardianTest, AFailureIsTheWorkersOwnAffair) {
  // Its Graft undoes; what is detached without a word was let go by nobody.
  const GuardedEnd end = Guarded("graft");
  EXPECT_EQ(end.recovered, Recovered::kOld);
  ExpectOld();
}

TEST_F(GuardianTest, NothingIsDoneForAWorkerThatDoesNothing) {
  const auto end = RunGuarded({}, [](UndoLog&) -> int { abort(); });
  ASSERT_TRUE(end);
  EXPECT_EQ(end->interruption, "the worker was killed by SIGABRT");
  EXPECT_EQ(end->recovered, Recovered::kUntouched);
}

}  // namespace
}  // namespace mcr::checkpoint
