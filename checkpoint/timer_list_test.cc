#include "checkpoint/timer_list.h"

#include <signal.h>

#include "gtest/gtest.h"

namespace mcr::checkpoint {
namespace {

TEST(TimerListTest, TimersAreReadAndSortedById) {
  const auto timers = ParseTimers(
      "ID: 3\nsignal: 0/0000000000000000\nnotify: none/pid.12\nClockID: 0\n"
      "ID: 0\nsignal: 10/0000555555558040\nnotify: signal/pid.12\nClockID: 1\n"
      "ID: 4\nsignal: 32/0000555555558048\nnotify: signal/tid.13\nClockID: -102\n");
  ASSERT_TRUE(timers) << timers.error().Line();
  ASSERT_EQ(timers->size(), 3u);
  EXPECT_EQ((*timers)[0].id, 0);
  EXPECT_EQ((*timers)[0].signal, 10);
  EXPECT_EQ((*timers)[0].value, 0x555555558040u);
  EXPECT_EQ((*timers)[0].notify, SIGEV_SIGNAL);
  EXPECT_EQ((*timers)[0].clock, 1);
  EXPECT_EQ((*timers)[1].id, 3);
  EXPECT_EQ((*timers)[1].notify, SIGEV_NONE);
  EXPECT_EQ((*timers)[2].notify, SIGEV_THREAD_ID);
  EXPECT_EQ((*timers)[2].thread, 13);
  EXPECT_EQ((*timers)[2].clock, -102);
}

TEST(TimerListTest, NoTextIsNoTimer) { EXPECT_TRUE(ParseTimers("")->empty()); }

TEST(TimerListTest, DamagedListsAreErrors) {
  EXPECT_FALSE(ParseTimers("signal: 10/0000555555558040\n"));
  EXPECT_FALSE(ParseTimers("ID: 0\nsignal: \n"));
  EXPECT_FALSE(ParseTimers("ID: 0\nsignal: 10/zz\n"));
  EXPECT_FALSE(ParseTimers("ID: 0\nnotify: signal/pid\n"));
  EXPECT_FALSE(ParseTimers("ID: x\n"));
}

}  // namespace
}  // namespace mcr::checkpoint
