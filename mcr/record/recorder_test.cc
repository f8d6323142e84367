#include "mcr/record/recorder.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace mcr::record {
namespace {

constexpr uint16_t kPort = 80, kClient = 40000;
// Near the end of the sequence space: it wraps around.
constexpr uint32_t kClientBegin = 0xfffffffd, kServerBegin = 5000;

class RecorderTest : public ::testing::Test {
 protected:
  void Connect() {
    Add(true, -1, "", {.syn = true});
    Add(false, -1, "", {.syn = true, .ack = true});
  }
  // `offset`: of the data in its stream; -1 is SYN's place.
  void Add(bool from_client, int offset, const std::string& data, Segment segment = {}) {
    segment.from = from_client ? "client" : "server";
    segment.to = from_client ? "server" : "client";
    segment.from_port = from_client ? kClient : kPort;
    segment.to_port = from_client ? kPort : kClient;
    segment.sequence =
        (from_client ? kClientBegin : kServerBegin) + 1 + static_cast<uint32_t>(offset);
    segment.data = data;
    recorder_.Add(segment, ++time_);
  }
  // "client bytes|server bytes|…", and the remarks behind.
  std::string Finish() {
    std::vector<std::string> remarks;
    std::string text;
    const Recording recording = recorder_.Finish(remarks);
    for (const Connection& connection : recording.connections()) {
      for (const Piece& piece : connection.pieces()) {
        text += (piece.from_client() ? ">" : "<") + piece.data();
      }
    }
    for (const std::string& remark : remarks) text += "; " + remark;
    return text;
  }

  Recorder recorder_{{kPort}, {}};
  uint64_t time_ = 0;
};

TEST_F(RecorderTest, KeepsBothDirectionsInTheirOrder) {
  Connect();
  Add(true, 0, "GET ");
  Add(true, 4, "/");
  Add(false, 0, "200");
  EXPECT_EQ(Finish(), ">GET >/<200");
}

TEST_F(RecorderTest, PutsSegmentsThatOvertookEachOtherInOrder) {
  Connect();
  Add(true, 6, "c");
  Add(true, 3, "bbb");
  Add(true, 0, "aaa");
  EXPECT_EQ(Finish(), ">aaabbbc");
}

TEST_F(RecorderTest, DropsWhatIsSentAgain) {
  Connect();
  Add(true, 0, "abc");
  Add(true, 0, "abc");
  Add(true, 1, "bcde");
  EXPECT_EQ(Finish(), ">abc>de");
}

TEST_F(RecorderTest, SaysThatAConnectionWithAGapCannotBeReplayed) {
  Connect();
  Add(true, 0, "abc");
  Add(true, 10, "xyz");
  EXPECT_EQ(Finish(), "; 1 connections cannot be replayed: some of its packets were missed");
}

TEST_F(RecorderTest, SaysThatAConnectionWasJoinedLate) {
  Add(true, 0, "abc");
  EXPECT_NE(Finish().find("open before"), std::string::npos);
}

TEST_F(RecorderTest, LeavesOutTlsAndSshWithTheReason) {
  Connect();
  Add(true, 0, std::string("\x16\x03\x01\x00", 4));
  EXPECT_NE(Finish().find("TLS"), std::string::npos);
  Connect();
  Add(false, 0, "SSH-2.0-server\r\n");
  EXPECT_NE(Finish().find("ssh"), std::string::npos);
}

TEST_F(RecorderTest, APortUsedAgainIsAnotherConnection) {
  Connect();
  Add(true, 0, "one");
  Connect();
  Add(true, 0, "two");
  EXPECT_EQ(Finish(), ">one>two");
}

TEST(ParsePacket, ReadsAnIpv4Segment) {
  const unsigned char packet[] = {
      0x45, 0,  0, 42, 0, 0, 0x40, 0, 64, 6, 0,    0,    127, 0, 0, 1, 127, 0, 0,   2,   0x9c, 0x40,
      0,    80, 0, 0,  0, 7, 0,    0, 0,  0, 0x50, 0x18, 0,   0, 0, 0, 0,   0, 'h', 'i', 'x'};
  const auto segment = ParsePacket(std::as_bytes(std::span(packet)));
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->from_port, 40000);
  EXPECT_EQ(segment->to_port, 80);
  EXPECT_EQ(segment->sequence, 7u);
  EXPECT_EQ(segment->data, "hi") << "what is behind the packet's length is padding";
  EXPECT_TRUE(segment->ack);
}

TEST(ParsePacket, RefusesWhatIsCutOff) {
  const unsigned char packet[] = {0x45, 0, 0, 42, 0, 0, 0, 0, 64, 6};
  EXPECT_FALSE(ParsePacket(std::as_bytes(std::span(packet))));
  EXPECT_FALSE(ParsePacket({}));
}

}  // namespace
}  // namespace mcr::record
