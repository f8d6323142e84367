#include "mcr/record/replay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "mcr/base/owned_fd.h"
#include "mcr/record/compare.h"

namespace mcr::record {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr uint32_t kSchema = 1;
constexpr milliseconds kLateAnswer{50};  // for bytes that should not come

uint64_t Middle(const Recording& recording) {
  uint64_t last = 0;
  for (const Connection& connection : recording.connections()) {
    for (const Piece& piece : connection.pieces()) last = std::max(last, piece.at_us());
  }
  return last / 2;
}

// When what was said at some time of the recording may be said now.
class Schedule {
 public:
  Schedule(const ReplayOptions& options, uint64_t middle_us)
      : speed_(options.speed), middle_us_(middle_us), second_half_(!options.during) {}

  void Await(uint64_t at_us) {
    std::unique_lock lock(mutex_);
    if (at_us > middle_us_) began_second_.wait(lock, [this] { return second_half_; });
    const Clock::time_point when = began_ + delay_ + Scaled(at_us);
    lock.unlock();
    if (speed_ > 0) std::this_thread::sleep_until(when);
  }
  void AwaitMiddle() const {
    if (speed_ > 0) std::this_thread::sleep_until(began_ + Scaled(middle_us_));
  }
  // `paused`: for how long the clients were held back.
  void BeginSecondHalf(Clock::duration paused) {
    {
      const std::lock_guard lock(mutex_);
      delay_ = paused;
      second_half_ = true;
    }
    began_second_.notify_all();
  }

 private:
  Clock::duration Scaled(uint64_t at_us) const {
    if (speed_ <= 0) return {};
    return microseconds(static_cast<int64_t>(static_cast<double>(at_us) / speed_));
  }

  const double speed_;
  const uint64_t middle_us_;
  const Clock::time_point began_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable began_second_;
  Clock::duration delay_{};
  bool second_half_;
};

std::optional<sockaddr_in6> Resolve(const std::string& host, uint16_t port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) == 1) return address;
  // IPv4 as IPv6 shows it: one kind of socket serves both.
  if (inet_pton(AF_INET6, ("::ffff:" + host).c_str(), &address.sin6_addr) == 1) return address;
  return std::nullopt;
}

// One recorded client.
class Client {
 public:
  Client(const Connection& recorded, const ReplayOptions& options, Schedule& schedule)
      : recorded_(recorded), options_(options), schedule_(schedule) {}

  // "" if everything could be sent.
  std::string Run() {
    uint64_t due = 0;  // bytes that the server had sent by now
    for (const Piece& piece : recorded_.pieces()) {
      if (!piece.from_client()) {
        due += piece.data().size();
        continue;
      }
      Receive(due, options_.timeout);
      schedule_.Await(piece.at_us());
      if (std::string failed = Send(piece.data()); !failed.empty()) return failed;
    }
    Receive(due, options_.timeout);
    Receive(due + 1, kLateAnswer);
    return "";
  }

  const std::string& received() const { return received_; }
  uint64_t sent() const { return sent_; }

 private:
  std::string Connect() {
    const auto known = options_.ports.find(static_cast<uint16_t>(recorded_.port()));
    const auto port =
        known == options_.ports.end() ? static_cast<uint16_t>(recorded_.port()) : known->second;
    const auto address = Resolve(options_.host, port);
    socket_ = OwnedFd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!address || !socket_.valid() ||
        connect(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) !=
            0) {
      return FailErrno("cannot connect to " + options_.host + ":" + std::to_string(port))
          .value()
          .Line();
    }
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return "";
  }

  std::string Send(std::string_view data) {
    if (!socket_.valid()) {
      if (std::string failed = Connect(); !failed.empty()) return failed;
    }
    while (!data.empty()) {
      const ssize_t count = send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return FailErrno("the server does not listen any more").value().Line();
      data.remove_prefix(static_cast<size_t>(count));
      sent_ += static_cast<uint64_t>(count);
    }
    return "";
  }

  // Until `total` bytes are there, the server has closed, or the time is over: what is missing
  // shows in the comparison.
  void Receive(uint64_t total, milliseconds timeout) {
    if (!socket_.valid() && (total == 0 || !Connect().empty())) return;
    char buffer[65536];
    const Clock::time_point deadline = Clock::now() + timeout;
    while (received_.size() < total && !closed_) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
      pollfd ready = {.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (left.count() <= 0) return;
      if (poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
      const ssize_t count = recv(socket_.get(), buffer, sizeof buffer, 0);
      closed_ = count <= 0;
      if (count > 0) received_.append(buffer, static_cast<size_t>(count));
    }
  }

  const Connection& recorded_;
  const ReplayOptions& options_;
  Schedule& schedule_;
  OwnedFd socket_;
  std::string received_;
  uint64_t sent_ = 0;
  bool closed_ = false;
};

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
  return recording;
}

Result<ReplayResult> Replay(const Recording& recording, const ReplayOptions& options) {
  std::vector<std::string> expressions(recording.mask().begin(), recording.mask().end());
  expressions.insert(expressions.end(), options.masks.begin(), options.masks.end());
  MCR_ASSIGN(const Masks masks, Masks::Create(expressions));
  if (!Resolve(options.host, 0)) return Fail("no numeric address", options.host, "check --host");

  Schedule schedule(options, Middle(recording));
  std::vector<Client> clients;
  std::vector<std::string> failures(static_cast<size_t>(recording.connections_size()));
  for (const Connection& connection : recording.connections()) {
    clients.emplace_back(connection, options, schedule);
  }
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < clients.size(); ++i) {
      threads.emplace_back([&, i] { failures[i] = clients[i].Run(); });
    }
    if (options.during) {
      schedule.AwaitMiddle();
      const Clock::time_point began = Clock::now();
      options.during();
      schedule.BeginSecondHalf(Clock::now() - began);
    }
  }

  ReplayResult result;
  result.connections = clients.size();
  for (size_t i = 0; i < clients.size(); ++i) {
    result.sent += clients[i].sent();
    result.received += clients[i].received().size();
    std::string text = failures[i].empty() ? "" : failures[i] + "\n";
    text += Difference(masks.Apply(RecordedAnswers(recording.connections(static_cast<int>(i)))),
                       masks.Apply(clients[i].received()));
    if (!text.empty()) result.mismatches.push_back({i, std::move(text)});
  }
  return result;
}

}  // namespace mcr::record
