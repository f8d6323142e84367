// Stage 7: may the new version be told that it runs? The processes are looked at on all processors.
//
// The checks, by name: `old pointers` (nothing points into the files that are about to be
// unmapped), `code pointers`, `data pointers` (what was written lands where the same name, type and
// object are), `heap` (objects that moved lie in blocks of their own), `backward transfer` (the old
// state can be read off the new one), `learned invariants` (which the profile has; these alone may
// be wrong without a failure).
#ifndef MCR_UPDATE_VALIDATOR_H_
#define MCR_UPDATE_VALIDATOR_H_

#include <sched.h>

#include <memory>
#include <string>
#include <vector>

#include "checkpoint/graft/plan.h"
#include "mcr/base/result.h"
#include "mcr/update/invariants.h"
#include "mcr/update/memory_watch.h"
#include "mcr/update/old_state.h"
#include "mcr/update/validation.h"
#include "mutator/merge/changed_modules.h"
#include "mutator/validate/version_pair.h"
#include "tracer/task_group.h"

namespace mcr::update {

// What the checks know of the versions. Made before the pause.
using VersionPairs = std::vector<std::unique_ptr<mutator::VersionPair>>;
VersionPairs PairVersions(const std::vector<mutator::ModuleVersions>& modules);

// What else is known.
struct ValidationContext {
  const MemoryWatch& watch;  // what was searched before
  const OldState& before;
  const VersionPairs& versions;
  const Invariants& invariants;
  cpu_set_t helpers;  // processors that may be used beside the caller's
};

struct Validation {
  std::vector<Check>& checks;
  std::vector<std::string>& warnings;
};

// Appends what was checked, and fails with the first thing that is wrong. The tasks are stopped;
// `applied` is what was done to them. The first process stands for the others where they share
// memory.
Status Validate(tracer::TaskGroup& tasks, const checkpoint::GraftPlan& applied,
                const ValidationContext& context, Validation validation);

}  // namespace mcr::update

#endif  // MCR_UPDATE_VALIDATOR_H_
