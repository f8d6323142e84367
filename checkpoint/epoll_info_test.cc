#include "checkpoint/epoll_info.h"

#include <gtest/gtest.h>

namespace mcr::checkpoint {
namespace {

TEST(EpollInfo, ParsesWhatTheKernelPrints) {
  const auto entries = ParseEpollInfo(8,
                                      "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t9\n"
                                      "tfd:        6 events: 80002001 data:     7f0bb91ea010  "
                                      "pos:0 ino:1f4d sdev:8\n"
                                      "tfd:       11 events:       1d data: ffffffffffffffff\n");
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].epoll_fd, 8);
  EXPECT_EQ((*entries)[0].fd, 6);
  EXPECT_EQ((*entries)[0].events, 0x80002001u);
  EXPECT_EQ((*entries)[0].data, 0x7f0bb91ea010u);
  EXPECT_EQ((*entries)[1].data, ~0ull);
}

TEST(EpollInfo, RejectsATruncatedEntry) {
  EXPECT_FALSE(ParseEpollInfo(8, "tfd:        6 events:").has_value());
}

}  // namespace
}  // namespace mcr::checkpoint
