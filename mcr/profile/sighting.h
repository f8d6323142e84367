// What a look at a server shows: the blocking calls in which its threads are.
#ifndef MCR_PROFILE_SIGHTING_H_
#define MCR_PROFILE_SIGHTING_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

namespace mcr::profile {

// One thread that waits.
struct Sighting {
  pid_t pid = 0;
  pid_t tid = 0;
  std::string system_call;
  std::vector<std::string> functions;  // of the program, innermost first
};

struct Look {
  std::set<pid_t> processes;  // all of them
  std::vector<Sighting> waiting;
};

}  // namespace mcr::profile

#endif  // MCR_PROFILE_SIGHTING_H_
