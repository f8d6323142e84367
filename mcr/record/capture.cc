#include "mcr/record/capture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace mcr::record {
namespace {

constexpr int kReceiveBuffer = 64 << 20;  // bytes: a second of a busy server

Status EnterNetworkOf(const tracer::ProcFs& procfs, pid_t pid) {
  MCR_ASSIGN(const std::string theirs, procfs.ReadLink(pid, "ns/net"));
  MCR_ASSIGN(const std::string ours, procfs.ReadLink(getpid(), "ns/net"));
  if (theirs == ours) return {};
  MCR_ASSIGN(const OwnedFd network, procfs.Open(pid, "ns/net", O_RDONLY));
  if (setns(network.get(), CLONE_NEWNET) == 0) return {};
  return FailErrno("cannot enter the server's network namespace", "PID " + std::to_string(pid));
}

}  // namespace

Result<Capture> Capture::Begin(const tracer::ProcFs& procfs, pid_t pid) {
  MCR_TRY(EnterNetworkOf(procfs, pid));
  OwnedFd fd(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  if (!fd.valid()) return FailErrno("cannot watch the network", "", "run as root with CAP_NET_RAW");
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  return Capture(std::move(fd));
}

Status Capture::Read(const std::function<void(std::span<const std::byte> packet)>& sink) {
  while (true) {
    sockaddr_ll from = {};
    socklen_t size = sizeof from;
    const ssize_t count = recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return {};
    if (count < 0) return FailErrno("cannot read packets");
    const bool twice = from.sll_hatype == ARPHRD_LOOPBACK && from.sll_pkttype == PACKET_OUTGOING;
    if (!twice) sink(std::span(buffer_).first(static_cast<size_t>(count)));
  }
}

Result<size_t> Capture::Dropped() const {
  tpacket_stats statistics = {};
  socklen_t size = sizeof statistics;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
    return FailErrno("cannot tell how many packets were lost");
  }
  return size_t{statistics.tp_drops};
}

}  // namespace mcr::record
