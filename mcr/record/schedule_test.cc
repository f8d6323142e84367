#include "mcr/record/schedule.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace mcr::record {
namespace {

constexpr std::chrono::milliseconds kLong{50};

TEST(Schedule, TheEarliestOfAllDoesNotWait) {
  Schedule schedule({10, 20}, 0, 100, false);
  schedule.Await(0, 10);
}

TEST(Schedule, WhoSpokeAfterAnotherWaitsForItHoweverLate) {
  Schedule schedule({10, 20}, 0, 100, false);
  std::atomic<bool> awaited = false;
  std::jthread later([&] {
    schedule.Await(1, 20);
    awaited = true;
  });
  std::this_thread::sleep_for(kLong);
  EXPECT_FALSE(awaited);
  schedule.Next(0, 30);
  later.join();
  EXPECT_TRUE(awaited);
}

TEST(Schedule, NobodyWaitsForWhoHasSaidAll) {
  Schedule schedule({10, 20}, 0, 100, false);
  schedule.Next(0, Schedule::kNone);
  schedule.Await(1, 20);
}

TEST(Schedule, TheSecondHalfBeginsWhenItIsTold) {
  Schedule schedule({200}, 0, 100, true);
  std::atomic<bool> awaited = false;
  std::jthread client([&] {
    schedule.Await(0, 200);
    awaited = true;
  });
  std::this_thread::sleep_for(kLong);
  EXPECT_FALSE(awaited);
  schedule.BeginSecondHalf({});
  client.join();
  EXPECT_TRUE(awaited);
}

}  // namespace
}  // namespace mcr::record
