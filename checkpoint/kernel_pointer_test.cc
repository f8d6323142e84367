#include "checkpoint/kernel_pointer.h"

#include "gtest/gtest.h"

namespace mcr::checkpoint {
namespace {

TEST(KernelPointerTest, TimersHaveTheirValues) {
  const auto pointers = ParseTimers(
      "ID: 0\nsignal: 10/0000555555558040\nnotify: signal/pid.12\nClockID: 1\n"
      "ID: 3\nsignal: 0/0000000000000000\nnotify: none/pid.12\nClockID: 0\n");
  ASSERT_TRUE(pointers) << pointers.error().Line();
  ASSERT_EQ(pointers->size(), 2u);
  EXPECT_EQ((*pointers)[0].holder, "the value of timer 0");
  EXPECT_EQ((*pointers)[0].value, 0x555555558040u);
  EXPECT_EQ((*pointers)[1].holder, "the value of timer 3");
  EXPECT_EQ((*pointers)[1].value, 0u);
}

TEST(KernelPointerTest, NoTimerIsNoPointer) { EXPECT_TRUE(ParseTimers("")->empty()); }

TEST(KernelPointerTest, DamagedListsAreErrors) {
  EXPECT_FALSE(ParseTimers("signal: 10/0000555555558040\n"));
  EXPECT_FALSE(ParseTimers("ID: 0\nsignal: \n"));
  EXPECT_FALSE(ParseTimers("ID: 0\nsignal: 10/zz\n"));
}

}  // namespace
}  // namespace mcr::checkpoint
