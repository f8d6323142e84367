#include "tracer/rehearsal/idle.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace mcr::tracer {
namespace {

using namespace std::chrono_literals;

constexpr IdleDetector::Clock::time_point kStart{1h};

TaskActivity Asleep(pid_t tid, long call) {
  return {.pid = tid, .tid = tid, .name = "worker", .state = 'S', .system_call = call};
}

class IdleDetectorTest : public testing::Test {
 protected:
  IdleDetector detector_{{SYS_epoll_wait}, 20ms};
};

TEST_F(IdleDetectorTest, WaitsUntilNoTaskHasRunForTheIdleTime) {
  const std::vector tasks{Asleep(2, SYS_epoll_wait), Asleep(3, SYS_epoll_wait)};
  EXPECT_FALSE(detector_.Observe(tasks, kStart));
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 19ms));
  EXPECT_TRUE(detector_.Observe(tasks, kStart + 20ms));
}

TEST_F(IdleDetectorTest, StartsAnewWhenATaskHasRunInBetween) {
  std::vector tasks{Asleep(2, SYS_epoll_wait)};
  EXPECT_FALSE(detector_.Observe(tasks, kStart));
  ++tasks[0].switches;
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 15ms));
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 30ms));
  EXPECT_TRUE(detector_.Observe(tasks, kStart + 35ms));
}

TEST_F(IdleDetectorTest, StartsAnewWhenATaskAppears) {
  std::vector tasks{Asleep(2, SYS_epoll_wait)};
  EXPECT_FALSE(detector_.Observe(tasks, kStart));
  tasks.push_back(Asleep(3, SYS_epoll_wait));
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 25ms));
}

TEST_F(IdleDetectorTest, AcceptsAServerWithAFastTimerInTheEnd) {
  std::vector tasks{Asleep(2, SYS_epoll_wait)};
  for (auto time = 0ms; time < 200ms; time += 10ms) {
    EXPECT_FALSE(detector_.Observe(tasks, kStart + time));
    ++tasks[0].switches;
  }
  EXPECT_TRUE(detector_.Observe(tasks, kStart + 200ms));
}

TEST_F(IdleDetectorTest, IsNotFooledByOtherCallsOrRunningTasks) {
  std::vector tasks{Asleep(2, SYS_nanosleep)};
  EXPECT_FALSE(detector_.Observe(tasks, kStart));
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 1s));
  EXPECT_EQ(detector_.Busy(tasks), "worker (PID 2 of the sandbox) sleeps in nanosleep");
  tasks[0].state = 'R';
  EXPECT_FALSE(detector_.Observe(tasks, kStart + 2s));
  EXPECT_EQ(detector_.Busy(tasks), "worker (PID 2 of the sandbox) is in state R");
  EXPECT_FALSE(detector_.Observe({}, kStart + 3s));
}

TEST(IdleCalls, AreTheProfilesOrElseAllBlockingOnes) {
  EXPECT_TRUE(IdleCalls(nullptr).contains(SYS_accept));
  profiles::Profile profile;
  profile.mutable_learned()->add_roles()->add_quiescent_points()->set_system_call("epoll_wait");
  EXPECT_EQ(IdleCalls(&profile), std::set<long>{SYS_epoll_wait});
}

}  // namespace
}  // namespace mcr::tracer
