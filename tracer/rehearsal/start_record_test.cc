#include "tracer/rehearsal/start_record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace mcr::tracer {
namespace {

constexpr std::string_view kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   1: 020200C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n";

constexpr std::string_view kTcp6 =
    "  sl  local_address                         remote_address st\n"
    "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A\n"
    "   1: 000000FD000000000000000002000000:0050 00000000000000000000000000000000:0000 0A\n";

constexpr std::string_view kUnix =
    "Num       RefCount Protocol Flags    Type St Inode Path\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/a b.sock\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 12346\n"
    "0000000000000000: 00000002 00000000 00010000 0001 01 12347 @abstract/name\n"
    "0000000000000000: 00000003 00000000 00000000 0001 03 12348 /run/a b.sock\n";

TEST(ParseLocalAddresses, LeavesOutLoopbackAndWildcard) {
  EXPECT_EQ(ParseLocalAddresses(kTcp), std::vector<std::string>{"192.0.2.2"});
  EXPECT_EQ(ParseLocalAddresses(kTcp6), std::vector<std::string>{"fd00::2"});
  EXPECT_TRUE(ParseLocalAddresses("").empty());
}

TEST(ParseSocketPaths, ListsEachPathOnce) {
  EXPECT_EQ(ParseSocketPaths(kUnix), std::vector<std::string>{"/run/a b.sock"});
}

TEST(ReadStartRecord, TellsHowThisTestWasStarted) {
  const std::string log = testing::TempDir() + "start_record_test.log";
  const std::ofstream open_log(log, std::ios::app);
  const auto record = ReadStartRecord(getpid());
  ASSERT_TRUE(record) << record.error().Line();
  EXPECT_EQ(record->pid, getpid());
  EXPECT_TRUE(record->executable.ends_with("start_record_test")) << record->executable;
  EXPECT_FALSE(record->arguments.empty());
  EXPECT_EQ(record->uid, getuid());
  EXPECT_EQ(record->root, "/");
  EXPECT_GE(record->limits.size(), 10U);
  EXPECT_NE(std::find(record->logs.begin(), record->logs.end(), log), record->logs.end());
  unlink(log.c_str());
}

TEST(ReadStartRecord, FailsForAProcessThatIsNotThere) {
  EXPECT_FALSE(ReadStartRecord(4194304 + 1));
}

}  // namespace
}  // namespace mcr::tracer
