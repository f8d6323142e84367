// A rehearsal: a program started in a sandbox as the server was started, brought to its quiescent points, and frozen
// there. It never serves and leaves no trace. (Startup replay; MCR, Middleware 2014, section 5.)
#ifndef MCR_TRACER_REHEARSAL_REHEARSAL_H_
#define MCR_TRACER_REHEARSAL_REHEARSAL_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "profiles/profile.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

// How the running server was started, read from it before anything else.
struct StartRecord {
  std::string executable;                 // path that was executed, in the server's mount namespace
  std::vector<std::string> arguments;     // argv
  std::vector<std::string> environment;   // "NAME=value"
  std::string working_directory;
  std::string root = "/";                 // chroot
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  mode_t umask = 022;
  std::vector<std::pair<int, std::pair<uint64_t, uint64_t>>> limits;  // RLIMIT_*, (soft, hard)
  std::vector<std::string> addresses;     // local addresses that it listens on: "127.0.0.1", "::1"
};

struct RehearsalOptions {
  std::string program;  // the file to start; it appears at StartRecord::executable inside the sandbox
  std::chrono::milliseconds deadline{10000};
  std::chrono::milliseconds idle_time{20};  // all tasks asleep in listed calls for this long: start-up is over
  const profiles::Profile* profile = nullptr;  // nullptr: any blocking call counts
};

// Owns the sandbox; destroying it kills every process in it and unmounts everything.
class Rehearsal {
 public:
  // Fails with the reason if the program exits, is killed by a signal, or is not idle by the deadline; the error
  // carries the last lines that it wrote to stderr or its error log where known.
  static Result<std::unique_ptr<Rehearsal>> Run(const StartRecord& start, const RehearsalOptions& options);
  virtual ~Rehearsal() = default;

  // All processes, stopped. The root first.
  virtual TaskGroup& tasks() = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_REHEARSAL_H_
