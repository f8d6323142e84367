#include "tracer/rehearsal/mount_table.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace mcr::tracer {
namespace {

std::vector<std::string> Paths(std::string_view mountinfo) {
  std::vector<std::string> paths;
  for (const MountPoint& mount : ParseMountTable(mountinfo)) paths.push_back(mount.path);
  return paths;
}

TEST(ParseMountTable, PutsParentsFirst) {
  EXPECT_EQ(Paths("30 27 0:1 / /var/lib rw shared:1 - ext4 /dev/b rw\n"
                  "29 27 0:2 / /var rw master:2 shared:3 - ext4 /dev/c rw\n"
                  "27 1 0:3 / / rw - ext4 /dev/a rw\n"),
            (std::vector<std::string>{"/", "/var", "/var/lib"}));
}

TEST(ParseMountTable, LeavesOutWhatASandboxHasOfItsOwn) {
  EXPECT_EQ(Paths("27 1 0:3 / / rw - overlay overlay rw\n"
                  "28 27 0:4 / /dev/shm rw - tmpfs tmpfs rw\n"
                  "29 27 0:5 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
                  "30 27 0:6 net:[4026532000] /run/netns/a rw - nsfs nsfs rw\n"
                  "31 27 0:7 / /devices rw - tmpfs tmpfs rw\n"),
            (std::vector<std::string>{"/", "/devices"}));
}

TEST(ParseMountTable, TellsWhetherAMountCanBeWritten) {
  const auto mounts = ParseMountTable(
      "1 0 0:1 / / rw - ext4 /dev/a rw\n"
      "2 1 0:2 / /a ro,nosuid,nodev,noexec,relatime - ext4 /dev/b rw\n"
      "3 1 0:3 / /b rw,nosuid - squashfs /dev/c ro,errors=continue\n");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_TRUE(mounts[0].writable);
  EXPECT_FALSE(mounts[1].writable);
  EXPECT_FALSE(mounts[2].writable);
  EXPECT_EQ(mounts[1].flags, static_cast<unsigned long>(MS_NOSUID | MS_NODEV | MS_NOEXEC));
  EXPECT_EQ(mounts[2].flags, static_cast<unsigned long>(MS_NOSUID));
}

TEST(ParseMountTable, TakesTheMountOnTopOfTwo) {
  const auto mounts = ParseMountTable(
      "1 0 0:1 / /mnt rw - ext4 /dev/a rw\n"
      "2 1 0:2 / /mnt ro - ext4 /dev/b rw\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_FALSE(mounts[0].writable);
}

TEST(ParseMountTable, DecodesEscapedPaths) {
  EXPECT_EQ(Paths("1 0 0:1 / /a\\040b\\134c rw - ext4 /dev/a rw\n"),
            std::vector<std::string>{"/a b\\c"});
}

TEST(ParseMountTable, SkipsLinesThatAreNotComplete) {
  EXPECT_TRUE(Paths("1 0 0:1 / /a rw\n\n1 0 0:1 / /a rw - ext4\n").empty());
}

}  // namespace
}  // namespace mcr::tracer
