#include "tracer/rehearsal/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cstring>

namespace mcr::tracer {
namespace {

constexpr size_t kHeader = 1 + sizeof(int);
constexpr size_t kLargest = 4096;  // bytes

}  // namespace

Result<Channel> OpenChannel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return FailErrno("cannot make a socket pair");
  }
  return Channel{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

void Send(int channel, const Message& message) {
  std::string packet(kHeader, '\0');
  packet[0] = static_cast<char>(message.kind);
  memcpy(packet.data() + 1, &message.value, sizeof message.value);
  packet += message.text.substr(0, kLargest - kHeader);
  send(channel, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void SendError(int channel, const Error& error) {
  std::string text = error.what;
  text.append(1, '\0').append(error.where).append(1, '\0').append(error.advice);
  Send(channel, {MessageKind::kFailed, error.os_error, std::move(text)});
}

Error ErrorOf(const Message& message) {
  const size_t first = message.text.find('\0');
  const size_t second = first == std::string::npos ? first : message.text.find('\0', first + 1);
  if (second == std::string::npos) return {.what = message.text};
  return {.what = message.text.substr(0, first),
          .where = message.text.substr(first + 1, second - first - 1),
          .advice = message.text.substr(second + 1),
          .os_error = message.value};
}

Result<std::optional<Message>> Receive(int channel, std::chrono::milliseconds timeout) {
  pollfd ready{.fd = channel, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, static_cast<int>(timeout.count())) != 1) return std::optional<Message>();
  char packet[kLargest];
  const ssize_t count = recv(channel, packet, sizeof packet, MSG_DONTWAIT);
  if (count < static_cast<ssize_t>(kHeader)) return Fail("the sandbox ended unexpectedly");
  Message message{.kind = static_cast<MessageKind>(packet[0])};
  memcpy(&message.value, packet + 1, sizeof message.value);
  message.text.assign(packet + kHeader, static_cast<size_t>(count) - kHeader);
  return std::optional<Message>(std::move(message));
}

}  // namespace mcr::tracer
