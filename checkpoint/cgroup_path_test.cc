#include "checkpoint/cgroup_path.h"

#include <gtest/gtest.h>

namespace mcr::checkpoint {
namespace {

constexpr char kHybrid[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";

TEST(CgroupPath, FindsVersion2OnAHybridHost) {
  EXPECT_EQ(FindCgroupDirectory(kHybrid, "9:name=systemd:/x\n0::/\n").value(),
            "/sys/fs/cgroup/unified");
  EXPECT_EQ(FindCgroupDirectory(kHybrid, "0::/system.slice/server.service\n").value(),
            "/sys/fs/cgroup/unified/system.slice/server.service");
}

TEST(CgroupPath, TakesAMountedSubtreeIntoAccount) {
  const char mounts[] = "41 31 0:38 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(FindCgroupDirectory(mounts, "0::/pod/web\n").value(), "/sys/fs/cgroup/web");
  EXPECT_EQ(FindCgroupDirectory(mounts, "0::/pod\n").value(), "/sys/fs/cgroup");
  EXPECT_FALSE(FindCgroupDirectory(mounts, "0::/podium\n").has_value());
}

TEST(CgroupPath, FailsWhereThereIsNone) {
  EXPECT_FALSE(FindCgroupDirectory("", "0::/\n").has_value());
  EXPECT_FALSE(FindCgroupDirectory(kHybrid, "1:cpu:/\n").has_value());
  EXPECT_FALSE(FindCgroupDirectory(kHybrid, "0::/../other\n").has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
