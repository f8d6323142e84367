#include "tracer/sys/background.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <future>
#include <thread>

namespace mcr::tracer {
namespace {

TEST(BackgroundTest, AThreadMakesWayUntilSomebodyElseEndsThat) {
  Background background;
  std::promise<int> inside, over;
  std::promise<void> left;
  std::thread thread([&] {
    background.Enter();
    inside.set_value(sched_getscheduler(0));
    left.get_future().wait();
    over.set_value(sched_getscheduler(0));
  });
  EXPECT_EQ(inside.get_future().get(), SCHED_IDLE);
  background.Leave();
  left.set_value();
  EXPECT_EQ(over.get_future().get(), SCHED_OTHER);
  thread.join();
}

TEST(BackgroundTest, WhoComesLateDoesNot) {
  Background background;
  background.Leave();
  std::thread([&] {
    background.Enter();
    EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
  }).join();
}

}  // namespace
}  // namespace mcr::tracer
