// How a running server was started: what a rehearsal needs to start another program the same way.
#ifndef MCR_TRACER_REHEARSAL_START_RECORD_H_
#define MCR_TRACER_REHEARSAL_START_RECORD_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcr/base/result.h"

namespace mcr::tracer {

struct StartRecord {
  pid_t pid = 0;                         // whose mount namespace the paths are of; 0: ours
  std::string executable;                // path that was executed, in the server's mount namespace
  std::vector<std::string> arguments;    // argv
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;
  std::string root = "/";  // chroot
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  mode_t umask = 022;
  std::vector<std::pair<int, std::pair<uint64_t, uint64_t>>> limits;  // RLIMIT_*, (soft, hard)
  std::vector<std::string> addresses;  // local addresses that it listens on: "127.0.0.1", "::1"
  std::vector<std::string> sockets;    // paths of the Unix sockets that are bound on the host
  std::vector<std::string> logs;       // paths of the files that it only appends to
  std::vector<std::string> data_set;   // paths of files that it would load; from its profile
};

// Everything from /proc. A server can overwrite its arguments and environment; who knows better
// (from the program's own variables) puts them right in the record.
Result<StartRecord> ReadStartRecord(pid_t pid);

// Local addresses in a table of /proc/PID/net/{tcp,udp}{,6}, wildcard and loopback addresses left
// out.
std::vector<std::string> ParseLocalAddresses(std::string_view table);

// Paths in /proc/PID/net/unix; abstract names are the network namespace's own and no hindrance.
std::vector<std::string> ParseSocketPaths(std::string_view table);

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_START_RECORD_H_
