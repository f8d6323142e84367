#include "checkpoint/connections.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <set>
#include <utility>

#include "tracer/sys/procfs.h"

namespace mcr::checkpoint {
namespace {

template <class T>
std::optional<T> GetOption(int socket, int level, int name) {
  T value{};
  socklen_t size = sizeof(value);
  if (getsockopt(socket, level, name, &value, &size) != 0) return std::nullopt;
  return value;
}

// The addresses of both ends; "" if it has no other end.
std::string EndsOf(int socket) {
  std::string ends;
  for (const auto name : {&getsockname, &getpeername}) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (name(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
    ends.append(reinterpret_cast<const char*>(&address), size);
  }
  return ends;
}

std::optional<ConnectionMark> MarkOf(int socket) {
  const auto cookie = GetOption<uint64_t>(socket, SOL_SOCKET, SO_COOKIE);
  const auto info = GetOption<tcp_info>(socket, IPPROTO_TCP, TCP_INFO);
  ConnectionMark mark;
  if (!cookie || !info || ioctl(socket, SIOCINQ, &mark.unread) != 0 ||
      ioctl(socket, SIOCOUTQ, &mark.unsent) != 0) {
    return std::nullopt;
  }
  mark.cookie = *cookie;
  mark.acknowledged = info->tcpi_bytes_acked;
  mark.received = info->tcpi_bytes_received;
  mark.state = info->tcpi_state;
  return mark;
}

std::optional<Connection> ConnectionAt(int process, int fd) {
  Connection connection;
  connection.socket = OwnedFd(static_cast<int>(syscall(SYS_pidfd_getfd, process, fd, 0)));
  const int socket = connection.socket.get();
  if (!connection.socket.valid()) return std::nullopt;
  if (GetOption<int>(socket, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) return std::nullopt;
  connection.ends = EndsOf(socket);
  const auto mark = MarkOf(socket);
  if (connection.ends.empty() || !mark) return std::nullopt;
  connection.mark = *mark;
  return connection;
}

}  // namespace

Result<std::vector<Connection>> FindConnections(const std::vector<pid_t>& pids) {
  const tracer::ProcFs procfs;
  std::vector<Connection> connections;
  std::set<uint64_t> seen;
  for (const pid_t pid : pids) {
    const OwnedFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process.valid()) continue;  // it has ended
    MCR_ASSIGN(const std::vector<int> descriptors, procfs.Descriptors(pid));
    for (const int fd : descriptors) {
      const auto link = procfs.ReadLink(pid, "fd/" + std::to_string(fd));
      if (!link || !link->starts_with("socket:")) continue;
      auto connection = ConnectionAt(process.get(), fd);
      if (connection && seen.insert(connection->mark.cookie).second) {
        connections.push_back(*std::move(connection));
      }
    }
  }
  return connections;
}

Status MuteConnection(const Connection& connection) {
  const int on = 1;
  if (setsockopt(connection.socket.get(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) != 0) {
    return FailErrno("cannot end a connection without telling its other end");
  }
  return {};
}

// net/ipv4/tcp.c, tcp_disconnect.
void ResetConnection(const Connection& connection) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  (void)connect(connection.socket.get(), &nobody, sizeof(nobody));
}

}  // namespace mcr::checkpoint
