// The TCP connections of stopped processes: how far each has come, and two ways to end one.
//
// A checkpoint holds a connection as it was (criu.org/TCP_connection). It can only take that
// connection's place again if neither end has said anything since.
#ifndef MCR_CHECKPOINT_CONNECTIONS_H_
#define MCR_CHECKPOINT_CONNECTIONS_H_

#include <sys/types.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "mcr/base/owned_fd.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

// Equal: nothing was sent, received, written, read or closed in between.
struct ConnectionMark {
  uint64_t cookie = 0;         // the kernel's own number of the socket (SO_COOKIE)
  uint64_t acknowledged = 0;   // bytes, by the other end
  uint64_t received = 0;       // bytes
  int unread = 0, unsent = 0;  // bytes; unsent: or not acknowledged
  int state = 0;               // TCP_ESTABLISHED …

  auto operator<=>(const ConnectionMark&) const = default;
};

struct Connection {
  ConnectionMark mark;
  std::string ends;  // the bytes of both addresses: what a restored connection is known by
  OwnedFd socket;    // the same socket, not a copy
};

// Each once, whoever shares it. Descriptors that are closed meanwhile are left out.
Result<std::vector<Connection>> FindConnections(const std::vector<pid_t>& pids);

// When its last descriptor is closed, nobody is told (TCP_REPAIR of tcp(7); needs CAP_NET_ADMIN).
Status MuteConnection(const Connection& connection);

// Both ends get ECONNRESET.
void ResetConnection(const Connection& connection);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_CONNECTIONS_H_
