#include "checkpoint/graft/timer_exchange.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/live_image.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "tracer/remote_call.h"
#include "tracer/sys/ptrace.h"
#include "tracer/task_group.h"

namespace mcr::checkpoint {
namespace {

constexpr uint64_t kOldValue = 0x2222, kNewValue = 0x3333;

// Two timers: one is not set, the other expires in an hour. If told to, the first has expired and
// its signal waits.
[[noreturn]] void RunTarget(int ready, bool expired) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
  for (const itimerspec& setting : {itimerspec{{}, {0, expired}}, itimerspec{{}, {3600, 0}}}) {
    sigevent expiry = {};
    expiry.sigev_signo = SIGRTMIN;
    expiry.sigev_value.sival_ptr = reinterpret_cast<void*>(kOldValue);
    timer_t timer;
    if (timer_create(CLOCK_MONOTONIC, &expiry, &timer) != 0) _exit(1);
    if (timer_settime(timer, 0, &setting, nullptr) != 0) _exit(1);
  }
  for (sigset_t pending; expired && sigpending(&pending) == 0 && !sigismember(&pending, SIGRTMIN);)
    usleep(100);
  if (write(ready, "r", 1) != 1) _exit(1);
  while (true) pause();
}

class TimerExchangeTest : public ::testing::Test {
 protected:
  void SetUp() override { Start(false); }

  void Start(bool expired) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    pid_ = fork();
    if (pid_ == 0) RunTarget(pipes[1], expired);
    char byte;
    ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    close(pipes[0]);
    close(pipes[1]);
    group_ = std::make_unique<tracer::TaskGroup>(tracer::TaskGroup::Attach(pid_).value());
    ASSERT_TRUE(group_->InterruptAll(std::chrono::milliseconds(2000)));
    changes_.clear();
    for (const Timer& before : Timers()) {
      Timer after = before;
      after.value = kNewValue;
      changes_.push_back({before, after});
    }
    ASSERT_EQ(changes_.size(), 2u);
    if (!expired) states_ = ReadTimers(Process(), changes_).value();
  }

  void TearDown() override {
    kill(pid_, SIGKILL);
    group_.reset();
    waitpid(pid_, nullptr, 0);
  }

  tracer::TracedProcess& Process() { return *group_->Find(pid_); }

  std::vector<Timer> Timers() { return LiveImage::Create(Process()).value()->timers(); }

  void ExpectTimers(uint64_t value) {
    const std::vector<Timer> timers = Timers();
    ASSERT_EQ(timers.size(), 2u);
    std::vector<TimerChange> same;
    for (size_t i = 0; i < timers.size(); ++i) {
      EXPECT_EQ(timers[i].id, states_[i].change.before.id);
      EXPECT_EQ(timers[i].value, value);
      same.push_back({timers[i], timers[i]});
    }
    const auto now = ReadTimers(Process(), same).value();
    EXPECT_EQ(now[0].setting.it_value.tv_nsec, 0);
    EXPECT_GT(now[1].setting.it_value.tv_sec, 3500);
  }

  pid_t pid_ = 0;
  std::unique_ptr<tracer::TaskGroup> group_;
  std::vector<TimerChange> changes_;
  std::vector<TimerState> states_;
};

TEST_F(TimerExchangeTest, TheyGetTheirNewValues) {
  ASSERT_TRUE(ExchangeTimers(Process(), states_));
  ExpectTimers(kNewValue);
}

TEST_F(TimerExchangeTest, NoneIsExchangedWhileASignalWaits) {
  TearDown();
  Start(true);
  const auto states = ReadTimers(Process(), changes_);
  ASSERT_FALSE(states);
  EXPECT_NE(states.error().Line().find("has not been delivered"), std::string::npos);
}

TEST_F(TimerExchangeTest, UndoneTheyAreAsTheyWere) {
  ASSERT_TRUE(ExchangeTimers(Process(), states_));
  ASSERT_TRUE(UndoTimers(Process(), states_));
  ASSERT_TRUE(UndoTimers(Process(), states_));
  ExpectTimers(kOldValue);
}

TEST_F(TimerExchangeTest, NothingIsUndoneThatWasNotDone) {
  ASSERT_TRUE(UndoTimers(Process(), states_));
  ExpectTimers(kOldValue);
}

// What an exchange that was interrupted has left: ids that can be asked for, and of each timer
// nothing, or one that is not set.
class Interrupted : public TimerExchangeTest, public ::testing::WithParamInterface<uint64_t> {};

TEST_P(Interrupted, IsUndone) {
  auto injection = tracer::Injection::Open(Process()).value();
  ASSERT_TRUE(injection->Call(SYS_prctl, {77, 1, 0, 0, 0}));
  const Addr page = injection->Scratch().value();
  for (const TimerState& state : states_) {
    ASSERT_TRUE(injection->Call(SYS_timer_delete, {static_cast<uint64_t>(state.change.before.id)}));
    if (GetParam() == 0) continue;
    sigevent expiry = {};
    expiry.sigev_signo = SIGRTMIN;
    expiry.sigev_value.sival_ptr = reinterpret_cast<void*>(GetParam());
    ASSERT_TRUE(injection->memory().WriteValue(page, expiry));
    ASSERT_TRUE(injection->memory().WriteValue(page + sizeof(expiry), state.change.before.id));
    ASSERT_TRUE(injection->Call(SYS_timer_create,
                                {CLOCK_MONOTONIC, page.value(), page.value() + sizeof(expiry)}));
  }
  ASSERT_TRUE(injection->Close());
  ASSERT_TRUE(UndoTimers(Process(), states_));
  ExpectTimers(kOldValue);
  injection = tracer::Injection::Open(Process()).value();
  EXPECT_EQ(injection->Call(SYS_prctl, {77, 2, 0, 0, 0}).value(),
            0u);  // whether ids can be asked for
}

INSTANTIATE_TEST_SUITE_P(Places, Interrupted, ::testing::Values(uint64_t{0}, kOldValue, kNewValue),
                         [](const auto& info) { return "With" + std::to_string(info.param); });

}  // namespace
}  // namespace mcr::checkpoint
