// Runs an update in a process of its own, the worker, and sees to it that the server survives
// whatever happens to that.
//
// Three processes take part. The worker does everything: it reads, rehearses, merges, traces and
// writes. The guardian, which is the process that was called, has done nothing before it forks and
// holds nothing but the undo log; it waits, under limits, and recovers the server if the worker
// dies, hangs, or is interrupted. Behind both, in a session of its own, the watcher waits for a
// lock that it gets only when both are dead. If even that is killed, the log is found by the next
// mcr.
#ifndef MCR_CHECKPOINT_GUARDIAN_GUARDIAN_H_
#define MCR_CHECKPOINT_GUARDIAN_GUARDIAN_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/graft/undo_log.h"
#include "checkpoint/guardian/recovery.h"
#include "mcr/base/result.h"

namespace mcr::checkpoint {

struct GuardLimits {
  std::chrono::milliseconds pause{30000};  // how long the server may be stopped
  std::chrono::seconds total{1800};        // how long the worker may take for everything
  uint64_t memory = 0;                     // bytes that it may allocate; 0: what is free now
};

struct GuardedEnd {
  int status = 0;            // the worker's exit status, if it has come to its end
  std::string interruption;  // else why not: "the worker was killed by SIGSEGV"
  Recovered recovered = Recovered::kUntouched;
  std::vector<std::string> warnings;
};

// `work` runs in the worker; what it returns is the worker's exit status. Called before the process
// has threads; what would interrupt it is blocked afterwards, and waits for the next call. An
// error: the guardian itself could not do its work, and the server may need `mcr restore`.
Result<GuardedEnd> RunGuarded(const GuardLimits& limits,
                              const std::function<int(UndoLog& log)>& work);

}  // namespace mcr::checkpoint

#endif  // MCR_CHECKPOINT_GUARDIAN_GUARDIAN_H_
