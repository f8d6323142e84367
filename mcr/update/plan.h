// A dry run: what an update would do, and what stands in its way. The server is not paused.
#ifndef MCR_UPDATE_PLAN_H_
#define MCR_UPDATE_PLAN_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/update/changed_types.h"
#include "mcr/update/options.h"
#include "mcr/update/validation.h"
#include "mutator/merge/differences.h"
#include "mutator/merge/merge_plan.h"

namespace mcr::update {

struct UpdatePlan {
  pid_t pid = 0;                         // of the server's main process
  std::string old_program, new_program;  // paths
  std::string old_build_id, new_build_id;
  std::string profile;   // its name; "" without one
  size_t functions = 0;  // of the old versions
  size_t processes = 0;
  mutator::Differences differences;
  std::vector<ChangedType> types;
  std::vector<std::string> changed_functions;  // same name, other code
  std::string digest;  // of the merge's plan, from a checkpoint only: a server that runs changes
  mutator::PointerCounts pointers;  // of the server as it runs, stacks not counted
  mutator::VariableCounts variables;
  std::vector<Check> requirements;  // as they are now
  std::vector<std::string> conflicts;
  std::vector<std::string> warnings;
  std::vector<std::string> problems;  // empty: nothing known stands in the way
};

// Fails as the first stages of Update would.
// One for each server.
Result<std::vector<UpdatePlan>> Plan(const Options& options);
bool IsPossible(const std::vector<UpdatePlan>& plans);
// Why not, in one line; "" if it is.
std::string Obstacle(const std::vector<UpdatePlan>& plans);

// Of the update that has kept its checkpoint in `directory`: the same merge, with the images of
// CRIU in the place of the paused server. Of that one server.
Result<std::vector<UpdatePlan>> PlanFromCheckpoint(const std::string& directory);

std::string ToJson(const std::vector<UpdatePlan>& plans);
std::string ToText(const std::vector<UpdatePlan>& plans);

}  // namespace mcr::update

#endif  // MCR_UPDATE_PLAN_H_
