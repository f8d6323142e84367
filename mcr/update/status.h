// Which running servers execute code that is no longer on disk, and whether an update can bring
// them to what is. Nothing is stopped.
#ifndef MCR_UPDATE_STATUS_H_
#define MCR_UPDATE_STATUS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/outdated.h"

namespace mcr::update {

// A process and those of its descendants, without a gap, that run the same program.
struct OutdatedServer {
  pid_t pid = 0;  // the topmost one
  std::string name;
  std::string unit;  // the systemd unit; "" if there is none
  size_t processes = 0;
  std::vector<OutdatedModule> modules;  // the program first
  bool can_update = false;              // nothing that is known forbids it
  std::string verdict;                  // the command that updates it, or why there is none
};

struct HostStatus {
  size_t processes = 0;  // looked at
  std::vector<OutdatedServer> outdated;
};

// Fails if not root, who alone may look at the files that other processes have mapped.
Result<HostStatus> FindOutdatedServers(const std::vector<std::string>& debug_dirs);

std::string ToText(const HostStatus& status);
std::string ToJson(const HostStatus& status);

}  // namespace mcr::update

#endif  // MCR_UPDATE_STATUS_H_
