#include "checkpoint/criu/rpc_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

namespace mcr::checkpoint {

Result<std::pair<RpcSocket, OwnedFd>> RpcSocket::CreatePair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return FailErrno("cannot make a socket pair for CRIU");
  }
  return std::pair(RpcSocket(OwnedFd(ends[0])), OwnedFd(ends[1]));
}

Status RpcSocket::Send(const criu::Request& request) {
  const std::string packet = request.SerializeAsString();
  const ssize_t sent = send(fd_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(packet.size())) return FailErrno("cannot talk to CRIU");
  return {};
}

Result<criu::Response> RpcSocket::Receive(std::chrono::milliseconds timeout) {
  pollfd event{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = poll(&event, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return FailErrno("cannot wait for CRIU");
  if (ready == 0) {
    return Fail("CRIU did not answer within " + std::to_string(timeout.count()) + " ms");
  }
  char packet[65536];
  const ssize_t size = recv(fd_.get(), packet, sizeof(packet), 0);
  if (size < 0) return FailErrno("cannot hear from CRIU");
  if (size == 0) return Fail("CRIU ended without an answer");
  criu::Response response;
  if (!response.ParseFromArray(packet, static_cast<int>(size))) {
    return Fail("CRIU sent something that is not its protocol");
  }
  return response;
}

}  // namespace mcr::checkpoint
