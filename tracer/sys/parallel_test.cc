#include "tracer/sys/parallel.h"

#include <gtest/gtest.h>

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

TEST(ParallelTest, EachNumberIsTakenOnce) {
  std::mutex mutex;
  std::multiset<size_t> taken;
  ASSERT_TRUE(InParallel(100, Processors(3), [&](size_t i) {
    const std::lock_guard lock(mutex);
    taken.insert(i);
    return Status();
  }));
  EXPECT_EQ(taken.size(), 100u);
  EXPECT_EQ(std::set(taken.begin(), taken.end()).size(), 100u);
}

TEST(ParallelTest, WithoutOtherProcessorsItIsDoneHere) {
  std::set<std::thread::id> threads;
  ASSERT_TRUE(InParallel(5, Processors(0), [&](size_t) {
    threads.insert(std::this_thread::get_id());
    return Status();
  }));
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  EXPECT_TRUE(InParallel(0, Processors(2), [](size_t) { return Status(Fail("none")); }));
}

TEST(ParallelTest, TheLowestFailureIsTold) {
  const Status status = InParallel(9, Processors(2), [](size_t i) {
    return i % 4 == 3 ? Status(Fail("number " + std::to_string(i))) : Status();
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "number 3");
}

}  // namespace
}  // namespace mcr::tracer
