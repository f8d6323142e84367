#include "mcr/record/replayed_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mcr::record {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLateAnswer{50};  // for bytes that should not come
// By so much may what is masked have become longer: as long as more is missing, nobody has to look.
constexpr size_t kMostMaskedGrowth = 16 << 10;

}  // namespace

std::optional<sockaddr_in6> Resolve(const std::string& host, uint16_t port) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) == 1) return address;
  // IPv4 as IPv6 shows it: one kind of socket serves both.
  if (inet_pton(AF_INET6, ("::ffff:" + host).c_str(), &address.sin6_addr) == 1) return address;
  return std::nullopt;
}

uint64_t ReplayedClient::BeginOf(const Connection& recorded) {
  const uint64_t first =
      recorded.pieces().empty() ? Schedule::kNone : recorded.pieces().Get(0).at_us();
  const uint64_t ended = recorded.ended_at_us();
  return ended == 0 ? first : std::min(first, ended);
}

Status ReplayedClient::Run() {
  const Status said = Say();
  schedule_.Next(index_, Schedule::kNone);
  Announce(true);
  return said;
}

Status ReplayedClient::Say() {
  bool ended = recorded_.ended_at_us() == 0;
  for (const Piece& piece : recorded_.pieces()) {
    if (!ended && recorded_.ended_at_us() < piece.at_us()) {
      End();
      ended = true;
    }
    MCR_TRY(Repeat(piece));
  }
  if (!ended) End();
  return Receive(1, kLateAnswer);
}

Status ReplayedClient::Repeat(const Piece& piece) {
  AwaitTurn(piece.at_us());
  if (piece.from_client()) return Send(piece.data());
  expected_ += piece.data();
  return Receive(0, server_.timeout);
}

void ReplayedClient::End() {
  AwaitTurn(recorded_.ended_at_us());
  shutdown(socket_.get(), SHUT_WR);
}

void ReplayedClient::AwaitTurn(uint64_t at_us) {
  schedule_.Next(index_, at_us);
  schedule_.Await(index_, at_us);
}

Status ReplayedClient::Connect() {
  uint16_t port = server_.port;
  if (announcer_ != nullptr) {
    MCR_ASSIGN(port, announcer_->AwaitAnnounced(recorded_.announced().index()));
  }
  const auto address = Resolve(server_.host, port);
  socket_ = OwnedFd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!address || !socket_.valid() ||
      connect(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return FailErrno("cannot connect to " + server_.host + ":" + std::to_string(port));
  }
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {};
}

Status ReplayedClient::Send(std::string_view data) {
  if (!socket_.valid()) MCR_TRY(Connect());
  while (!data.empty()) {
    const ssize_t count = send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno("the server does not listen any more");
    data.remove_prefix(static_cast<size_t>(count));
    sent_ += static_cast<uint64_t>(count);
  }
  return {};
}

bool ReplayedClient::HasReceived(size_t masked_bytes) const {
  if (received_.size() + kMostMaskedGrowth < masked_bytes) return false;
  return server_.masks->Apply(received_).size() >= masked_bytes;
}

Status ReplayedClient::Receive(size_t more, milliseconds timeout) {
  if (!socket_.valid()) {
    if (expected_.empty()) return {};
    MCR_TRY(Connect());
  }
  const size_t due = server_.masks->Apply(expected_).size() + more;
  char buffer[65536];
  const Schedule::Clock::time_point deadline = Schedule::Clock::now() + timeout;
  while (!closed_ && !HasReceived(due)) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Schedule::Clock::now());
    pollfd ready = {.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0) return {};
    if (poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t count = recv(socket_.get(), buffer, sizeof buffer, 0);
    closed_ = count <= 0;
    if (count <= 0) continue;
    received_.append(buffer, static_cast<size_t>(count));
    Announce(false);
  }
  return {};
}

Result<uint16_t> ReplayedClient::AwaitAnnounced(size_t index) {
  std::unique_lock lock(mutex_);
  announced_more_.wait_for(lock, server_.timeout,
                           [&] { return over_ || announced_.size() > index; });
  if (announced_.size() > index) return announced_[index];
  return Fail("the server did not announce the port of a connection");
}

void ReplayedClient::Announce(bool over) {
  std::vector<uint16_t> ports = server_.announced->FindIn(received_);
  {
    const std::lock_guard lock(mutex_);
    announced_ = std::move(ports);
    over_ = over;
  }
  announced_more_.notify_all();
}

}  // namespace mcr::record
