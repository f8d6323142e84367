#include "checkpoint/connections.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "mcr/base/owned_fd.h"

namespace mcr::checkpoint {
namespace {

// This process has both ends, and looks at itself.
class ConnectionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_ = OwnedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(listener_.get(), generic, size), 0);
    ASSERT_EQ(listen(listener_.get(), 1), 0);
    ASSERT_EQ(getsockname(listener_.get(), generic, &size), 0);
    client_ = OwnedFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client_.get(), generic, size), 0);
    server_ = OwnedFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(server_.valid());
  }

  static std::vector<Connection> Find() { return FindConnections({getpid()}).value(); }

  static std::vector<ConnectionMark> Marks() {
    std::vector<ConnectionMark> marks;
    for (const Connection& connection : Find()) marks.push_back(connection.mark);
    return marks;
  }

  // The server's end: of the first that looks like it.
  Connection ServersEnd() {
    std::vector<Connection> all = Find();
    EXPECT_EQ(all.size(), 2u);
    socklen_t size = sizeof(sockaddr_in);
    sockaddr_in own{}, its{};
    EXPECT_EQ(getsockname(server_.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
    for (Connection& connection : all) {
      EXPECT_EQ(getsockname(connection.socket.get(), reinterpret_cast<sockaddr*>(&its), &size), 0);
      if (its.sin_port == own.sin_port) return std::move(connection);
    }
    ADD_FAILURE();
    return {};
  }

  OwnedFd listener_, client_, server_;
};

TEST_F(ConnectionsTest, FindsBothEndsOnceAndNoListener) {
  const OwnedFd again(dup(server_.get()));
  const std::vector<Connection> found = Find();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0].ends, found[1].ends);
  EXPECT_NE(found[0].mark.cookie, found[1].mark.cookie);
}

TEST_F(ConnectionsTest, AMarkStaysWhileNothingIsSaid) { EXPECT_EQ(Marks(), Marks()); }

TEST_F(ConnectionsTest, SendingAndReadingChangeTheMark) {
  const Connection before = ServersEnd();
  ASSERT_EQ(write(client_.get(), "ab", 2), 2);
  const Connection arrived = ServersEnd();
  EXPECT_NE(before.mark, arrived.mark);
  EXPECT_EQ(arrived.mark.unread, 2);
  char byte;
  ASSERT_EQ(read(server_.get(), &byte, 1), 1);
  EXPECT_NE(ServersEnd().mark, arrived.mark);
  EXPECT_EQ(ServersEnd().ends, before.ends);
}

TEST_F(ConnectionsTest, AResetIsSeenByBothEnds) {
  ResetConnection(ServersEnd());
  char byte;
  EXPECT_EQ(read(client_.get(), &byte, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_LE(read(server_.get(), &byte, 1), 0);
}

TEST_F(ConnectionsTest, AMutedOneEndsUnheard) {
  {
    const Connection muted = ServersEnd();
    const Status done = MuteConnection(muted);
    if (!done && done.error().os_error == EPERM) GTEST_SKIP() << "needs CAP_NET_ADMIN";
    ASSERT_TRUE(done);
    server_.Reset();
  }
  char byte;
  EXPECT_EQ(recv(client_.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace mcr::checkpoint
