// Where a server takes connections.
#ifndef MCR_RECORD_LISTENERS_H_
#define MCR_RECORD_LISTENERS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "mcr/base/result.h"
#include "tracer/sys/procfs.h"

namespace mcr::record {

struct Listeners {
  std::set<uint16_t> tcp_ports;
  size_t unix_sockets = 0;
};

// Of `pid` and its descendants.
Result<Listeners> FindListeners(const tracer::ProcFs& procfs, pid_t pid);

// The listening ones of /proc/PID/net/tcp, tcp6 (proc_pid_net(5)) whose inode is in `sockets`.
std::set<uint16_t> ParseListeningPorts(std::string_view table, const std::set<uint64_t>& sockets);

}  // namespace mcr::record

#endif  // MCR_RECORD_LISTENERS_H_
