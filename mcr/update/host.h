// What an update needs of the host.
#ifndef MCR_UPDATE_HOST_H_
#define MCR_UPDATE_HOST_H_

#include <string>
#include <vector>

namespace mcr::update {

struct HostRequirement {
  std::string name;
  bool met = false;
  bool optional = false;  // without it, updates run with a limit that `detail` names
  std::string detail;     // what was found, or what to do
};

// `criu`: as Options::criu.
std::vector<HostRequirement> CheckHost(const std::string& criu);

}  // namespace mcr::update

#endif  // MCR_UPDATE_HOST_H_
