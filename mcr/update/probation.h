// After the commit: should the new version be about to die, the old one is brought back from the
// checkpoint, with its PIDs, descriptors, and those connections on which nothing was said since.
//
// What cannot be brought back is what happened in between; limits.md says what that means.
#ifndef MCR_UPDATE_PROBATION_H_
#define MCR_UPDATE_PROBATION_H_

#include <sys/types.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/connections.h"
#include "mcr/base/result.h"
#include "mcr/update/inspect.h"
#include "mcr/update/open_files.h"
#include "mcr/update/options.h"
#include "mcr/update/paused_server.h"
#include "mcr/update/report.h"

namespace mcr::update {

// Whether this server could be brought back: there is a checkpoint, and nobody else starts it again
// when it ends. Fails if not.
Status CheckCanBeWatched(const Inspection& server);

class Probation {
 public:
  // In the pause, before the checkpoint is taken.
  static Result<Probation> Prepare(const PausedServer& server);

  // Of a server that runs on, traced. Lets it go when `time` is up. Fails if the old version was
  // brought back, or could not be; the report says which.
  Status Watch(PausedServer& server, const std::string& criu, std::chrono::seconds time,
               ProbationReport& report);

 private:
  Status CheckCanComeBack(PausedServer& server) const;
  // The tasks are stopped.
  Status BringBack(PausedServer& server, const std::string& criu, ProbationReport& report);
  Status EndNewVersion(PausedServer& server, ProbationReport& report);
  // Those of the checkpoint that have come further since then, or ended, are of no use.
  Status EndStaleConnections(const std::vector<pid_t>& pids) const;

  std::set<pid_t> pids_;                        // of the whole tree
  std::set<checkpoint::ConnectionMark> marks_;  // of its connections
  OpenFiles files_;
  std::set<std::string> kept_;  // the ends of the connections that go on
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_PROBATION_H_
