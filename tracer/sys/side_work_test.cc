#include "tracer/sys/side_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace mcr::tracer {
namespace {

cpu_set_t Processors(int count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < count; ++i) CPU_SET(i, &set);
  return set;
}

TEST(SideWorkTest, EachPieceIsDoneOnce) {
  std::mutex mutex;
  std::multiset<int> taken;
  SideWork work(Processors(3));
  for (int i = 0; i < 100; ++i) {
    work.Add([&, i] {
      const std::lock_guard lock(mutex);
      taken.insert(i);
      return Status();
    });
  }
  ASSERT_TRUE(work.Finish());
  EXPECT_EQ(taken.size(), 100u);
  EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 100u);
}

TEST(SideWorkTest, WithoutOtherProcessorsItIsDoneHere) {
  std::set<std::thread::id> threads;
  SideWork work(Processors(0));
  for (int i = 0; i < 5; ++i) {
    work.Add([&] {
      threads.insert(std::this_thread::get_id());
      return Status();
    });
  }
  ASSERT_TRUE(work.Finish());
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  SideWork nothing(Processors(2));
  EXPECT_TRUE(nothing.Finish());
}

TEST(SideWorkTest, TheFirstFailureIsTold) {
  SideWork work(Processors(2));
  for (int i = 0; i < 9; ++i) {
    work.Add([i] { return i % 4 == 3 ? Status(Fail("number " + std::to_string(i))) : Status(); });
  }
  const Status status = work.Finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "number 3");
}

TEST(SideWorkTest, APieceMayAddAnother) {
  for (const int processors : {0, 1}) {
    std::atomic<int> done = 0;
    SideWork work(Processors(processors));
    work.Add([&] {
      work.Add([&] {
        ++done;
        return Status();
      });
      return Status();
    });
    ASSERT_TRUE(work.Finish());
    EXPECT_EQ(done, 1);
  }
}

TEST(SideWorkTest, ItIsDoneWhileTheCallerGoesOn) {
  SideWork work(Processors(1));
  std::promise<std::thread::id> done;
  work.Add([&] {
    done.set_value(std::this_thread::get_id());
    return Status();
  });
  EXPECT_NE(done.get_future().get(), std::this_thread::get_id());
  EXPECT_TRUE(work.Finish());
}

// A caller that has failed goes away: nobody may work on what it leaves then.
TEST(SideWorkTest, WhatNobodyHasBegunIsNotDone) {
  std::atomic<int> begun = 0;
  {
    SideWork work(Processors(0));
    for (int i = 0; i < 3; ++i) {
      work.Add([&] {
        ++begun;
        return Status();
      });
    }
  }
  EXPECT_EQ(begun, 0);
}

}  // namespace
}  // namespace mcr::tracer
