// CRIU's RPC: one protobuf message per packet of a SOCK_SEQPACKET socket.
#ifndef MCR_CHECKPOINT_CRIU_RPC_SOCKET_H_
#define MCR_CHECKPOINT_CRIU_RPC_SOCKET_H_

#include <chrono>
#include <utility>

#include "checkpoint/criu/rpc.pb.h"
#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

class RpcSocket {
 public:
  // Both ends: ours, and the one for `criu swrk`.
  static Result<std::pair<RpcSocket, OwnedFd>> CreatePair();

  Status Send(const criu::Request& request);
  // Fails when the time is up, or when the other end has closed without an answer.
  Result<criu::Response> Receive(std::chrono::milliseconds timeout);
  void Close() { fd_.Reset(); }

 private:
  explicit RpcSocket(OwnedFd fd) : fd_(std::move(fd)) {}

  OwnedFd fd_;
};

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CRIU_RPC_SOCKET_H_
