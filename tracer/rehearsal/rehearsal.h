// A rehearsal: a program started in a sandbox as the server was started, brought to its quiescent
// points, and frozen there. It never serves and leaves no trace. (Startup replay; MCR, Middleware
// 2014, section 5.)
#ifndef MCR_TRACER_REHEARSAL_REHEARSAL_H_
#define MCR_TRACER_REHEARSAL_REHEARSAL_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "profiles/profile.h"
#include "tracer/rehearsal/replacement.h"
#include "tracer/rehearsal/start_record.h"
#include "tracer/task_group.h"

namespace mcr::tracer {

struct RehearsalOptions {
  std::string
      program;  // the file to start; it appears at StartRecord::executable inside the sandbox
  std::vector<Replacement> replacements = {};  // other files that look different inside
  std::chrono::milliseconds deadline{10000};
  std::chrono::milliseconds idle_time{
      20};  // all tasks asleep in listed calls for this long: start-up is over
  const profiles::Profile* profile = nullptr;  // nullptr: any blocking call counts
};

// Owns the sandbox; destroying it kills every process in it and unmounts everything.
class Rehearsal {
 public:
  // Both steps at once.
  static Result<std::unique_ptr<Rehearsal>> Run(const StartRecord& start,
                                                const RehearsalOptions& options);

  // The program starts up on its own, beside others. `options` outlive the rehearsal.
  static Result<std::unique_ptr<Rehearsal>> Start(const StartRecord& start,
                                                  const RehearsalOptions& options);
  virtual ~Rehearsal() = default;

  // Waits until start-up is over. Fails with the reason if the program exits, is killed by a
  // signal, or is not idle by the deadline; the error carries the last lines that it wrote to
  // stderr or its error log where known.
  virtual Status Freeze() = 0;

  // All processes, stopped, after Freeze. The root first.
  virtual TaskGroup& tasks() = 0;
};

}  // namespace mcr::tracer

#endif  // MCR_TRACER_REHEARSAL_REHEARSAL_H_
