#include "tracer/rehearsal/network.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "mcr/base/owned_fd.h"
#include "tracer/sys/sysctl.h"

namespace mcr::tracer {
namespace {

constexpr const char* kCopied[] = {"net/core/somaxconn", "net/ipv4/ip_unprivileged_port_start"};
constexpr const char* kBindAnywhere[] = {"net/ipv4/ip_nonlocal_bind", "net/ipv6/ip_nonlocal_bind"};

// rtnetlink(7), one request to add an address.
struct AddAddress {
  nlmsghdr header;
  ifaddrmsg message;
  rtattr attribute;
  char address[16];
};

struct Acknowledgement {
  nlmsghdr header;
  nlmsgerr error;
};

Result<unsigned> BringUpLoopback() {
  const OwnedFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = {};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  if (!socket_fd.valid() || ioctl(socket_fd.get(), SIOCSIFFLAGS, &request) != 0) {
    return FailErrno("cannot bring up the sandbox's network", "lo");
  }
  return if_nametoindex("lo");
}

AddAddress MakeRequest(unsigned device, int family, const void* address, size_t size) {
  AddAddress request = {};
  request.header = {.nlmsg_len = static_cast<uint32_t>(offsetof(AddAddress, address) + size),
                    .nlmsg_type = RTM_NEWADDR,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE};
  // Without duplicate detection an IPv6 address can be bound at once.
  request.message = {.ifa_family = static_cast<uint8_t>(family),
                     .ifa_prefixlen = static_cast<uint8_t>(size * 8),
                     .ifa_flags = IFA_F_NODAD,
                     .ifa_scope = RT_SCOPE_UNIVERSE,
                     .ifa_index = device};
  request.attribute = {.rta_len = static_cast<uint16_t>(RTA_LENGTH(size)), .rta_type = IFA_LOCAL};
  memcpy(request.address, address, size);
  return request;
}

// Returns 0 or an errno.
int Exchange(int netlink, const AddAddress& request) {
  if (send(netlink, &request, request.header.nlmsg_len, 0) < 0) return errno;
  Acknowledgement answer = {};
  if (recv(netlink, &answer, sizeof answer, 0) < 0) return errno;
  return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : EPROTO;
}

Status Add(int netlink, unsigned device, const std::string& address) {
  in6_addr binary = {};
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, address.c_str(), &binary) != 1) return Fail("not an address", address);
  const size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  errno = Exchange(netlink, MakeRequest(device, family, &binary, size));
  // A kernel in which IPv6 is disabled for new namespaces still lets a program bind to the address.
  if (errno == 0 || errno == EEXIST || family == AF_INET6) return {};
  return FailErrno("cannot add an address to the sandbox's network", address);
}

Status AddAddresses(unsigned device, const std::vector<std::string>& addresses) {
  if (addresses.empty()) return {};
  const OwnedFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink.valid()) return FailErrno("cannot open a netlink socket");
  for (const std::string& address : addresses) MCR_TRY(Add(netlink.get(), device, address));
  return {};
}

}  // namespace

NetworkParameters ReadNetworkParameters() {
  NetworkParameters parameters;
  for (const char* name : kCopied) {
    auto value = ReadSysctl(name);
    if (value) parameters.emplace_back(name, *std::move(value));
  }
  return parameters;
}

Status SetUpNetwork(const NetworkParameters& parameters,
                    const std::vector<std::string>& addresses) {
  MCR_ASSIGN(const unsigned loopback, BringUpLoopback());
  for (const auto& [name, value] : parameters) MCR_TRY(WriteSysctl(name, value));
  for (const char* name : kBindAnywhere) {
    const Status written = WriteSysctl(name, "1");
    // ENOENT: a kernel without IPv6.
    if (!written && written.error().os_error != ENOENT) return written;
  }
  return AddAddresses(loopback, addresses);
}

}  // namespace mcr::tracer
