#include "tracer/sys/procfs_parse.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "mcr/base/mapping.h"

namespace mcr::tracer {
namespace {

TEST(ParseMaps, ReadsAccessOffsetDeviceAndPath) {
  const auto maps = ParseMaps(
      "55d0c0de1000-55d0c0de2000 r-xp 00002000 fe:00 247134   /usr/sbin/a server\n"
      "7ffc00000000-7ffc00021000 rw-s 00000000 00:00 0 \n");
  ASSERT_TRUE(maps) << maps.error().Line();
  ASSERT_EQ(maps->size(), 2u);
  const Mapping& file = (*maps)[0];
  EXPECT_EQ(file.range.begin(), Addr(0x55d0c0de1000));
  EXPECT_EQ(file.range.size(), 0x1000u);
  EXPECT_TRUE(file.readable && file.executable && !file.writable && !file.shared);
  EXPECT_EQ(file.file_offset, 0x2000u);
  EXPECT_EQ(file.inode, 247134u);
  EXPECT_EQ(file.path, "/usr/sbin/a server");
  EXPECT_TRUE((*maps)[1].shared && (*maps)[1].path.empty() && !(*maps)[1].IsFile());
}

TEST(ParseMaps, SeparatesTheDeletedMarkFromThePath) {
  const auto maps = ParseMaps("1000-2000 r--p 00000000 fe:00 7 /old (deleted)\n");
  ASSERT_TRUE(maps);
  EXPECT_EQ((*maps)[0].path, "/old");
  EXPECT_TRUE((*maps)[0].deleted);
}

TEST(ParseMaps, RestoresNewlinesInPaths) {
  const auto maps = ParseMaps("1000-2000 r--p 00000000 fe:00 7 /a\\012b\n");
  ASSERT_TRUE(maps);
  EXPECT_EQ((*maps)[0].path, "/a\nb");
}

TEST(ParseMaps, RefusesALineThatIsNone) {
  EXPECT_FALSE(ParseMaps("2000-1000 r--p 00000000 fe:00 7 /old\n"));
  EXPECT_FALSE(ParseMaps("garbage\n"));
  EXPECT_FALSE(ParseMaps("1000-2000 r--p\n"));
}

TEST(ParseStatus, ReadsWhatItKnowsAndSkipsTheRest) {
  const auto status = ParseStatus(
      "Name:\tserver\nUmask:\t0022\nState:\tt (tracing stop)\nTgid:\t12\nPPid:\t1\n"
      "TracerPid:\t99\nUid:\t33\t34\t35\t36\nGid:\t1\t2\t3\t4\nGroups:\t5 6 \nNSpid:\t12\t2\n"
      "SigBlk:\t0000000008016a07\nSigCgt:\t0000000198016a07\nFDSize:\t64\nVmPeak:\t1 kB\n");
  ASSERT_TRUE(status) << status.error().Line();
  EXPECT_EQ(status->name, "server");
  EXPECT_EQ(status->umask, 022u);
  EXPECT_EQ(status->state, 't');
  EXPECT_EQ(status->tracer, 99);
  EXPECT_EQ(status->uids[3], 36u);
  EXPECT_EQ(status->groups, (std::vector<gid_t>{5, 6}));
  EXPECT_EQ(status->namespace_pids, (std::vector<pid_t>{12, 2}));
  EXPECT_EQ(status->blocked_signals, 0x8016a07u);
  EXPECT_EQ(status->descriptor_slots, 64u);
}

TEST(ParseStat, FindsTheFieldsBehindANameWithParentheses) {
  std::string text = "12 (a) b) S 1 2 3";
  for (int field = 7; field <= 52; ++field) text += " " + std::to_string(field);
  const auto stat = ParseStat(text + "\n");
  ASSERT_TRUE(stat) << stat.error().Line();
  EXPECT_EQ(stat->name, "a) b");
  EXPECT_EQ(stat->parent, 1);
  EXPECT_EQ(stat->flags, 9u);
  EXPECT_EQ(stat->start_time, 22u);
  EXPECT_EQ(stat->start_code, Addr(26));
  EXPECT_EQ(stat->start_stack, Addr(28));
  EXPECT_EQ(stat->start_data, Addr(45));
  EXPECT_EQ(stat->env_end, Addr(51));
}

TEST(ParseStat, RefusesATruncatedLine) { EXPECT_FALSE(ParseStat("12 (a) S 1 2 3")); }

TEST(ParseSystemCall, TellsBlockedFromRunning) {
  const auto blocked = ParseSystemCall("232 0x8 0x1 0x200 0xffffffffffffffff 0 0 0x7f0 0x7f1\n");
  ASSERT_TRUE(blocked) << blocked.error().Line();
  EXPECT_EQ(blocked->number, 232);
  EXPECT_EQ(blocked->arguments[3], ~uint64_t{0});
  EXPECT_EQ(blocked->instruction, Addr(0x7f1));
  EXPECT_TRUE(ParseSystemCall("running\n")->running);
  EXPECT_EQ(ParseSystemCall("-1 0x7f0 0x7f1\n")->number, -1);
  EXPECT_FALSE(ParseSystemCall("232 0x8"));
}

TEST(ParseLimits, KnowsUnlimited) {
  const auto limits = ParseLimits(
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max open files            1024                 unlimited            files     \n");
  ASSERT_TRUE(limits);
  ASSERT_EQ(limits->size(), 1u);
  EXPECT_EQ((*limits)[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ((*limits)[0].soft, 1024u);
  EXPECT_EQ((*limits)[0].hard, RLIM_INFINITY);
}

TEST(SplitAtNuls, KeepsEmptyStrings) {
  EXPECT_EQ(SplitAtNuls(std::string_view("a\0\0b", 4)), (std::vector<std::string>{"a", "", "b"}));
}

}  // namespace
}  // namespace mcr::tracer
