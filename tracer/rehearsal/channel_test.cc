#include "tracer/rehearsal/channel.h"

#include <gtest/gtest.h>

namespace mcr::tracer {
namespace {

using namespace std::chrono_literals;

TEST(Channel, KeepsMessagesApart) {
  auto channel = OpenChannel();
  ASSERT_TRUE(channel);
  Send(channel->inside.get(), {MessageKind::kInit, 4711, "text"});
  Send(channel->inside.get(), {.kind = MessageKind::kRunning});
  auto message = Receive(channel->outside.get(), 0ms);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->kind, MessageKind::kInit);
  EXPECT_EQ((*message)->value, 4711);
  EXPECT_EQ((*message)->text, "text");
  message = Receive(channel->outside.get(), 0ms);
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->kind, MessageKind::kRunning);
  message = Receive(channel->outside.get(), 0ms);
  ASSERT_TRUE(message);
  EXPECT_FALSE(*message);
}

TEST(Channel, CarriesAnErrorWithAllItsParts) {
  auto channel = OpenChannel();
  ASSERT_TRUE(channel);
  SendError(channel->inside.get(),
            {.what = "no", .where = "/a", .advice = "do not", .os_error = EPERM});
  const auto message = Receive(channel->outside.get(), 0ms);
  ASSERT_TRUE(message && *message);
  const Error error = ErrorOf(**message);
  EXPECT_EQ(error.Line(), "no, /a; do not");
  EXPECT_EQ(error.os_error, EPERM);
}

TEST(Channel, FailsWhenTheOtherSideIsGone) {
  auto channel = OpenChannel();
  ASSERT_TRUE(channel);
  channel->inside.Reset();
  EXPECT_FALSE(Receive(channel->outside.get(), 0ms));
}

}  // namespace
}  // namespace mcr::tracer
