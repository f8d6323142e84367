#include "mcr/record/recorder.h"

#include <utility>

namespace mcr::record {
namespace {

constexpr uint32_t kSchema = 1;
constexpr std::string_view kTlsHandshake("\x16\x03", 2);  // RFC 8446, section 5.1
constexpr std::string_view kSshBanner = "SSH-";           // RFC 4253, section 4.2

// The first bytes that one side sent.
std::string_view Beginning(const Connection& connection, bool from_client) {
  for (const Piece& piece : connection.pieces()) {
    if (piece.from_client() == from_client) return piece.data();
  }
  return "";
}

// Why nothing that was recorded could be said again; "" if it could.
std::string Secret(const Connection& connection) {
  if (Beginning(connection, true).starts_with(kTlsHandshake)) {
    return "TLS: its keys are made anew for each connection";
  }
  if (Beginning(connection, false).starts_with(kSshBanner)) {
    return "ssh: its keys are made anew for each connection";
  }
  return "";
}

}  // namespace

std::string Recorder::Stream::Take(const Segment& segment) {
  const uint32_t begin = segment.sequence - first, have = next - first;
  if (begin > have) {
    if (!segment.data.empty()) early.emplace(begin, segment.data);
    return "";
  }
  std::string fresh;
  const auto append = [&](uint32_t at, const std::string& data) {
    const uint32_t known = next - first - at;  // of these bytes: sent again
    if (known >= data.size()) return;
    fresh += data.substr(known);
    next += static_cast<uint32_t>(data.size()) - known;
  };
  append(begin, segment.data);
  while (!early.empty() && early.begin()->first <= next - first) {
    append(early.begin()->first, early.begin()->second);
    early.erase(early.begin());
  }
  return fresh;
}

void Recorder::Add(const Segment& segment, uint64_t at_us) {
  const bool from_client = ports_.contains(segment.to_port);
  if (!from_client && !ports_.contains(segment.from_port)) return;
  const Key key = from_client ? Key{segment.from, segment.from_port, segment.to, segment.to_port}
                              : Key{segment.to, segment.to_port, segment.from, segment.from_port};
  if (segment.syn && from_client && !segment.ack) Open(key, at_us);
  const auto found = open_.find(key);
  if (found == open_.end()) {
    if (!segment.data.empty()) joined_late_.insert(key);
    return;
  }
  Flow& flow = flows_[found->second];
  Stream& stream = from_client ? flow.client : flow.server;
  if (segment.syn) {
    stream.begun = true;
    stream.first = stream.next = segment.sequence + 1;
    return;
  }
  if (!stream.begun || segment.reset) return;
  if (segment.fin) {
    stream.ended = true;
    if (from_client && !flow.server.ended) flow.connection.set_ended_at_us(at_us);
  }
  std::string data = stream.Take(segment);
  if (data.empty()) return;
  if (!from_client) NoteAnnouncements(found->second, data);
  Piece& piece = *flow.connection.add_pieces();
  piece.set_from_client(from_client);
  piece.set_at_us(at_us);
  piece.set_data(std::move(data));
}

void Recorder::Open(const Key& key, uint64_t at_us) {
  open_[key] = flows_.size();
  Connection& connection = flows_.emplace_back().connection;
  connection.set_port(std::get<3>(key));
  connection.set_began_at_us(at_us);
  const auto announced = announcements_.extract(std::get<3>(key));
  if (!announced.empty()) *connection.mutable_announced() = announced.mapped();
}

void Recorder::NoteAnnouncements(size_t flow, const std::string& answer) {
  for (const uint16_t port : announced_.FindIn(answer)) {
    Announcement announcement;
    announcement.set_connection(static_cast<uint32_t>(flow));
    announcement.set_index(flows_[flow].announcements++);
    announcements_.insert_or_assign(port, announcement);
    ports_.insert(port);
  }
}

std::string Recorder::Obstacle(const Flow& flow, const std::map<size_t, int>& kept) const {
  if (!flow.client.complete() || !flow.server.complete()) return "some of its packets were missed";
  const Connection& connection = flow.connection;
  if (connection.has_announced() && !kept.contains(connection.announced().connection())) {
    return "the connection that announced them cannot be";
  }
  return Secret(connection);
}

Recording Recorder::Finish(std::vector<std::string>& remarks) const {
  Recording recording;
  recording.set_schema(kSchema);
  std::map<std::string, size_t> left_out;
  if (!joined_late_.empty()) {
    left_out["they were open before the recording began"] = joined_late_.size();
  }
  std::map<size_t, int> kept;
  for (size_t i = 0; i < flows_.size(); ++i) {
    const Flow& flow = flows_[i];
    if (flow.connection.pieces().empty()) continue;
    if (const std::string obstacle = Obstacle(flow, kept); !obstacle.empty()) {
      ++left_out[obstacle];
      continue;
    }
    kept[i] = recording.connections_size();
    Connection& connection = *recording.add_connections() = flow.connection;
    if (!connection.has_announced()) continue;
    Announcement& announced = *connection.mutable_announced();
    announced.set_connection(static_cast<uint32_t>(kept.at(announced.connection())));
  }
  for (const auto& [why, count] : left_out) {
    remarks.push_back(std::to_string(count) + " connections cannot be replayed: " + why);
  }
  return recording;
}

}  // namespace mcr::record
