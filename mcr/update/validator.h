// Stage 7: may the new version be told that it runs? Each process is looked at as soon as it
// carries the new program, on another processor, while the next one is grafted.
//
// The checks, by name: `old pointers` (nothing points into the files that are about to be
// unmapped), `code pointers`, `data pointers` (what was written lands where the same name, type and
// object are), `heap` (objects that moved lie in blocks of their own), `backward transfer` (the old
// state can be read off the new one).
#ifndef MCR_UPDATE_VALIDATOR_H_
#define MCR_UPDATE_VALIDATOR_H_

#include <sched.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "checkpoint/process_image.h"
#include "mcr/base/address.h"
#include "mcr/base/range.h"
#include "mcr/base/result.h"
#include "mcr/update/memory_watch.h"
#include "mcr/update/old_state.h"
#include "mcr/update/validation.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/merge/merge_plan.h"
#include "mutator/validate/findings.h"
#include "mutator/validate/version_pair.h"
#include "tracer/task_group.h"

namespace mcr::update {

// What the checks know of the versions. Made before the pause.
using VersionPairs = std::vector<std::unique_ptr<mutator::VersionPair>>;
VersionPairs PairVersions(const std::vector<mutator::ModuleVersions>& modules);

class Validator {
 public:
  struct Context {
    const mutator::MergePlan& plan;  // what is being applied
    const MemoryWatch& watch;        // what was searched before
    const OldState& before;
    const VersionPairs& versions;
    cpu_set_t processors;  // where it may run
  };
  // All that the context refers to outlives the validator.
  explicit Validator(Context context) : context_(context) {}

  // The process stays stopped and unchanged until Finish. The first one stands for the others where
  // they share memory. `graft` as it was applied.
  Status Add(const tracer::TracedProcess& process, const checkpoint::ProcessGraft& graft);

  // Waits for all, appends what was checked, and fails with the first thing that is wrong.
  Status Finish(std::vector<Check>& checks);

 private:
  struct Seen {
    std::vector<std::string> left_behind;
    mutator::Findings findings;
  };
  struct Job {
    pid_t pid = 0;
    std::vector<checkpoint::ThreadImage> threads;
    std::vector<Range<Addr>> old;
    std::vector<checkpoint::Allocation> allocations;
    bool skip_shared = false;
  };
  Result<Seen> Look(Job job) const;

  Context context_;
  std::vector<std::future<Result<Seen>>> running_;
};

}  // namespace mcr::update

#endif  // MCR_UPDATE_VALIDATOR_H_
