#include "checkpoint/graft/undo_log.h"

#include <gtest/gtest.h>

#include <string>

namespace mcr::checkpoint {
namespace {

UndoLog::Act Note(std::string& trace, char name) {
  return [&trace, name]() -> Status {
    trace += name;
    return {};
  };
}

TEST(UndoLog, UndoesBackwardsAndOnce) {
  std::string trace;
  UndoLog log;
  log.Arm(Note(trace, 'a'));
  log.Arm(Note(trace, 'b'));
  EXPECT_TRUE(log.Rewind().has_value());
  EXPECT_TRUE(log.Rewind().has_value());
  EXPECT_EQ(trace, "ba");
}

TEST(UndoLog, GoesOnAfterAFailureAndReportsTheFirst) {
  std::string trace;
  UndoLog log;
  log.Arm(Note(trace, 'a'));
  log.Arm([]() -> Status { return Fail("second"); });
  log.Arm([]() -> Status { return Fail("first"); });
  const Status undone = log.Rewind();
  ASSERT_FALSE(undone.has_value());
  EXPECT_EQ(undone.error().what, "first");
  EXPECT_EQ(trace, "a");
}

TEST(UndoLog, UndoesWhenDestroyedUnlessDisarmed) {
  std::string trace;
  {
    UndoLog log;
    log.Arm(Note(trace, 'a'));
  }
  {
    UndoLog log;
    log.Arm(Note(trace, 'b'));
    log.Disarm();
  }
  EXPECT_EQ(trace, "a");
}

}  // namespace
}  // namespace mcr::checkpoint
