#include "mcr/record/replay.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <thread>
#include <utility>

#include "mcr/record/announced_ports.h"
#include "mcr/record/compare.h"
#include "mcr/record/replayed_client.h"
#include "mcr/record/schedule.h"

namespace mcr::record {
namespace {

constexpr uint32_t kSchema = 1;

uint64_t Middle(const Recording& recording) {
  uint64_t last = 0;
  for (const Connection& connection : recording.connections()) {
    for (const Piece& piece : connection.pieces()) last = std::max(last, piece.at_us());
  }
  return last / 2;
}

std::vector<uint64_t> Beginnings(const Recording& recording) {
  std::vector<uint64_t> beginnings;
  for (const Connection& connection : recording.connections()) {
    beginnings.push_back(ReplayedClient::BeginOf(connection));
  }
  return beginnings;
}

// A client's time-out begins when its turn comes: one that waits for another's announcement is told
// of it or that it will not come.
std::deque<ReplayedClient> MakeClients(const Recording& recording, const ReplayOptions& options,
                                       const AnnouncedPorts& announced, const Masks& masks,
                                       Schedule& schedule) {
  std::deque<ReplayedClient> clients;
  for (const Connection& connection : recording.connections()) {
    const auto recorded_port = static_cast<uint16_t>(connection.port());
    const auto known = options.ports.find(recorded_port);
    const uint16_t port = known == options.ports.end() ? recorded_port : known->second;
    ReplayedClient* const announcer =
        connection.has_announced() ? &clients[connection.announced().connection()] : nullptr;
    clients.emplace_back(
        connection, clients.size(),
        ReplayedClient::Server{options.host, port, options.timeout, &announced, &masks}, schedule,
        announcer);
  }
  return clients;
}

std::string RecordedAnswers(const Connection& connection) {
  std::string text;
  for (const Piece& piece : connection.pieces()) {
    if (!piece.from_client()) text += piece.data();
  }
  return text;
}

}  // namespace

Result<Recording> LoadRecording(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailErrno("cannot read the recording", path);
  Recording recording;
  if (!recording.ParseFromIstream(&file)) return Fail("not a recording", path);
  if (recording.schema() != kSchema) {
    return Fail("a recording of another schema than " + std::to_string(kSchema), path);
  }
  for (int i = 0; i < recording.connections_size(); ++i) {
    const Connection& connection = recording.connections(i);
    if (connection.has_announced() &&
        connection.announced().connection() >= static_cast<uint32_t>(i)) {
      return Fail("a connection was announced by a later one", path);
    }
  }
  return recording;
}

Result<ReplayResult> Replay(const Recording& recording, const ReplayOptions& options) {
  std::vector<std::string> expressions(recording.mask().begin(), recording.mask().end());
  expressions.insert(expressions.end(), options.masks.begin(), options.masks.end());
  expressions.insert(expressions.end(), recording.announced_port().begin(),
                     recording.announced_port().end());
  MCR_ASSIGN(const Masks masks, Masks::Create(expressions));
  MCR_ASSIGN(const AnnouncedPorts announced,
             AnnouncedPorts::Create(
                 {recording.announced_port().begin(), recording.announced_port().end()}));
  if (!Resolve(options.host, 0)) return Fail("no numeric address", options.host, "check --host");

  Schedule schedule(Beginnings(recording), options.speed, Middle(recording),
                    options.during != nullptr);
  std::deque<ReplayedClient> clients = MakeClients(recording, options, announced, masks, schedule);
  std::vector<Status> said(clients.size());
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < clients.size(); ++i) {
      threads.emplace_back([&, i] { said[i] = clients[i].Run(); });
    }
    if (options.during) {
      schedule.AwaitMiddle();
      const auto began = Schedule::Clock::now();
      options.during();
      schedule.BeginSecondHalf(Schedule::Clock::now() - began);
    }
  }

  ReplayResult result;
  result.connections = clients.size();
  for (size_t i = 0; i < clients.size(); ++i) {
    result.sent += clients[i].sent();
    result.received += clients[i].received().size();
    std::string text = said[i] ? "" : said[i].error().Line() + "\n";
    text += Difference(masks.Apply(RecordedAnswers(recording.connections(static_cast<int>(i)))),
                       masks.Apply(clients[i].received()));
    if (!text.empty()) result.mismatches.push_back({i, std::move(text)});
  }
  return result;
}

}  // namespace mcr::record
